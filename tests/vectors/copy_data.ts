/**
 * Copies what the tests need of the recorded vectors into this repository:
 * bytes, numbers and decisions, without the originals' log texts.
 *
 * Run it where the full set is at hand:
 * `deno run --allow-read --allow-write tests/vectors/copy_data.ts DIRECTORY`
 *
 * @module
 */
import process from "node:process";

const source = Deno.args[0];
if (source === undefined) {
  process.stderr.write("usage: copy_data.ts DIRECTORY\n");
  Deno.exit(2);
}

const LOG_TEXTS = new Set(["startup_warnings", "log", "note"]);

for (const name of ["datagrams.json", "replay.json", "rejects.json"]) {
  const text = await Deno.readTextFile(`${source}/${name}`);
  const reduced = JSON.parse(
    text,
    (key, value) => LOG_TEXTS.has(key) ? undefined : value,
  );
  const target = new URL(`./data/${name}`, import.meta.url);
  await Deno.writeTextFile(target, `${JSON.stringify(reduced)}\n`);
}
