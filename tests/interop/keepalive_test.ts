import assert from "node:assert/strict";
import {
  anytun,
  oursNative,
  oursOnWebCrypto,
  type PeerProgram,
  uanytun,
} from "../../lab/peers.ts";
import { labTest } from "../../lab/test_case.ts";
import { PORT, RIGHT, speakingRight, waitingLeft } from "./settings.ts";

/** Whoever receives, and whoever keeps alive what is between them. */
const pairs: readonly (readonly [PeerProgram, PeerProgram])[] = [
  [anytun, oursNative],
  [uanytun, oursNative],
  [oursNative, oursNative],
  [anytun, oursOnWebCrypto],
];

for (const [index, [settled, lively]] of pairs.entries()) {
  labTest(
    `${settled.name} hears of ${lively.name}, and of its new port, by datagrams without payload alone (--keepalive)`,
    `i-k${index}`,
    [settled.missing(), lively.missing()],
    async (lab) => {
      // What hosts send by themselves over a link that is new.
      const ipv6 = "net.ipv6.conf.default.disable_ipv6=1";
      await lab.right.exec("sysctl", "-qw", ipv6);
      const daemon = await settled.start(lab.left, waitingLeft);
      const speaking = speakingRight(lab);
      const options = [...speaking.options, "--keepalive", "1"];
      for (const port of [PORT, 5001]) {
        const before = daemon.lines.length;
        const other = await lively.start(lab.right, {
          ...speaking,
          ...{ options, port },
        });
        await daemon.line(
          new RegExp(`autodetected.*192\\.0\\.2\\.2\\D+${port}$`),
          20,
          before,
        );
        // Only now the tunnel carries anything, and from the other end.
        await lab.left.ping(RIGHT);
        await other.stop();
      }
      const refused = daemon.lines
        .filter((line) => /[Rr]eplay attack|wrong [Aa]uth/.test(line));
      assert.deepEqual(refused, []);
    },
  );
}
