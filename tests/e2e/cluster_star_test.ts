import assert from "node:assert/strict";
import { TestFolder } from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { fromSource } from "../../lab/programs.ts";
import { oursFromSource, oursNative } from "../../lab/peers.ts";
import { outputOf } from "../../lab/tools.ts";

const CLIENTS = 50;
const FIRST_MUX = 100;
const PORT = 4444;
const CONTROL = "127.0.0.1:2323";

/** The file that says of each client its mux, its keys and its address. */
async function clientsFile(): Promise<string> {
  let file = "";
  // A few at a time: most of each is the start of the runtime.
  for (let first = 1; first <= CLIENTS; first += 5) {
    const some = Array.from({ length: 5 }, (_, k) => first + k);
    const texts = await Promise.all(some.map((client) =>
      outputOf("config", [
        ...["-m", String(FIRST_MUX + client), "-E", `client ${client}`],
        ...["-w", "64", "-R", `10.98.0.${client}/32`],
      ])
    ));
    file += texts.join("");
  }
  return file;
}

for (const [ours, tag] of [[oursNative, "n"], [oursFromSource, "p"]] as const) {
  labTest(
    `${ours.name} serves ${CLIENTS} clients that a control daemon tells it of`,
    `cs${tag}`,
    [ours.missing()],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const file = folder.file("clients");
      await Deno.writeTextFile(file, await clientsFile());
      const [program = "", ...first] = fromSource.command;
      const controld = left.spawn(
        program,
        ...[...first, "controld", "-D", "-L", "stdout:4"],
        ...["-f", file, "-X", CONTROL],
      );
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
