import assert from "node:assert/strict";
import { startDaemon } from "../../lab/daemons.ts";
import { missingCommand } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";

for (const engine of ["auto", "webcrypto"]) {
  labTest(
    `-s and -m are in each datagram, -o and -i say where (--engine ${engine})`,
    `d-opt${engine[0]}`,
    [missingCommand("ss")],
    async ({ left, right }) => {
      const peer = right.script("attacker.ts", "5000", left.ipv4, "6000");
      await peer.line(/^sent$/);
      const daemon = startDaemon(left, [
        ...["-D", "-d", "tun7", "-n", "10.99.0.1/24", "-E", "x"],
        ...["-i", left.ipv4, "-p", "6000", "-r", right.ipv4, "-o", "5000"],
        ...["-s", "258", "-m", "772", "-b", "4", "--engine", engine],
      ]);
      await daemon.line(/added connection remote host 192\.0\.2\.2:5000/);
      await left.exec("ping", "-c", "1", "-W", "1", "-s", "56", "10.99.0.2")
        .catch(() => {}); // Nobody answers.

      // SATP section 1: sequence number, sender id 0x0102, mux 0x0304; then,
      // behind the encrypted 2 and 84 bytes of type and packet, a tag of 4.
      const datagram = /^got [\da-f]{8}01020304[\da-f]{172}[\da-f]{8}$/;
      await peer.line(datagram);
      const port = await left.exec("ss", "-Hlun", "sport = :6000");
      assert.match(port, /192\.0\.2\.1:6000/);
      assert.doesNotMatch(port, /0\.0\.0\.0:6000|\*:6000|\[::\]:6000/);
    },
  );
}

for (const engine of ["auto", "webcrypto"]) {
  labTest(
    `-p 0 logs the port that the system has chosen (--engine ${engine})`,
    `d-any${engine[0]}`,
    [missingCommand("ss")],
    async ({ left }) => {
      const daemon = startDaemon(left, [
        ...["-D", "-E", "x", "-p", "0", "--engine", engine],
      ]);
      const any = await daemon.line(/opening socket: 0\.0\.0\.0:[1-9]/);
      const all = await daemon.line(/opening socket: \[::\]:[1-9]/);
      const [port, same] = [any, all].map((line) => line.split(":").at(-1));
      assert.equal(port, same);
      const sockets = await left.exec("ss", "-Hlun", `sport = :${port}`);
      assert.match(sockets, new RegExp(`[\\]*]:${port}\\s`));
    },
  );
}
