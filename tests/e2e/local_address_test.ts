import assert from "node:assert/strict";
import {
  LEFT,
  passphrase,
  PORT,
  RIGHT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";
import type { Lab } from "../../lab/lab.ts";
import {
  oursNative,
  oursWithTwoWorkers,
  type PeerProgram,
} from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";

const ANYCAST = { ipv4: "203.0.113.1", ipv6: "2001:db8:113::1" };
const SECOND = { ipv4: "192.0.2.77", ipv6: "2001:db8::77" };
const missing = [oursNative.missing()];
/** Where the right host hears the left one, as its log says. */
const HEARD = /connection .*(remote host|autodetected)/;

async function startBoth(
  lab: Lab,
  program: PeerProgram,
  host: string,
): Promise<{ left: LabProcess; right: LabProcess }> {
  const left = await program.start(lab.left, waitingLeft);
  const right = await program.start(lab.right, {
    ...speakingRight(lab),
    remote: { host, port: PORT },
    options: passphrase,
  });
  await lab.right.ping(LEFT);
  await lab.left.ping(RIGHT);
  return { left, right };
}

function heardAt(process: LabProcess): string[] {
  return process.lines.filter((line) => HEARD.test(line));
}

for (const family of ["ipv4", "ipv6"] as const) {
  for (const program of [oursNative, oursWithTwoWorkers]) {
    labTest(
      `${program.name}: answers over ${family} leave from an anycast address`,
      `l-a${family}${program === oursNative ? "" : "2"}`,
      missing,
      async (lab) => {
        const { left, right } = lab;
        const address = ANYCAST[family];
        await left.address(
          "lo",
          family === "ipv4" ? `${address}/32` : `${address}/128`,
        );
        await right.ip("route", "add", address, "via", left[family]);
        const ends = await startBoth(lab, program, address);
        await ends.right.stop();
        const lines = heardAt(ends.right);
        assert.equal(lines.length, 1, lines.join("\n"));
        assert.ok(lines[0]?.includes(address), lines[0]);
      },
    );
  }

  labTest(
    `a host that loses the address of its answers over ${family} goes on from another one`,
    `l-g${family}`,
    missing,
    async (lab) => {
      const { left } = lab;
      const address = SECOND[family];
      const prefix = `${address}/${family === "ipv4" ? 24 : 64}`;
      await left.address("wire", prefix);
      const ends = await startBoth(lab, oursNative, address);
      assert.equal(heardAt(ends.right).length, 1, "it answered from there");
      await left.ip("addr", "del", prefix, "dev", "wire");
      await left.ping(RIGHT);
      await ends.right.stop();
      const last = heardAt(ends.right).at(-1);
      assert.ok(last?.includes(left[family]), last);
    },
  );
}
