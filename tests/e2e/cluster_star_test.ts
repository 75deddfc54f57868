import assert from "node:assert/strict";
import { clientsFile } from "../../lab/clients.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { oursFromSource, oursNative } from "../../lab/peers.ts";

const CLIENTS = 50;
const FIRST_MUX = 100;
const PORT = 4444;
const CONTROL = "127.0.0.1:2323";

/** Each with its mux, its keys and its address. */
const clients = Array.from({ length: CLIENTS }, (_, k) => ({
  mux: FIRST_MUX + k + 1,
  passphrase: `client ${k + 1}`,
  networks: [`10.98.0.${k + 1}/32`],
}));

for (const [ours, tag] of [[oursNative, "n"], [oursFromSource, "p"]] as const) {
  labTest(
    `${ours.name} serves ${CLIENTS} clients that a control daemon tells it of`,
    `cs${tag}`,
    [ours.missing()],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const file = folder.file("clients");
      await Deno.writeTextFile(file, await clientsFile(clients));
      const controld = startDaemon(left, [
        ...["controld", "-D", "-L", "stdout:4"],
        ...["-f", file, "-X", CONTROL],
      ]);
      await controld.line(/sync server listening/);
      const daemon = await ours.start(left, {
        role: "left",
        type: "tun",
        addresses: ["10.98.0.254/24"],
        port: PORT,
        options: ["-X", CONTROL],
      });
      await daemon.line(/sync: connected to/, 20);
      const args = [left.ipv4, PORT, FIRST_MUX, CLIENTS].map(String);
      const star = right.script("star.ts", ...args);
      await star.line(new RegExp(`^answered ${CLIENTS}$`), 30);
      assert.equal((await star.ended).code, 0);
    },
  );
}
