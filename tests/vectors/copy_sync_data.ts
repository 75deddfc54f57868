/**
 * Copies what the tests need of the recorded sync streams and routing
 * decisions into this repository, without the originals' log texts.
 *
 * Run it where the full set is at hand:
 * `deno run --allow-read --allow-write tests/vectors/copy_sync_data.ts DIRECTORY`
 *
 * @module
 */
import process from "node:process";

const source = Deno.args[0];
if (source === undefined) {
  process.stderr.write("usage: copy_sync_data.ts DIRECTORY\n");
  Deno.exit(2);
}

const DROPPED = new Set([
  "log",
  "note",
  "stderr",
  "showtables_stderr",
  "showtables_rc",
  "showtables_eof_artefact_seen",
]);

/** Error lines among the lines of anytun-showtables. */
const ERROR_LINES = /^uncaught exception, exiting: .*\n/gm;

const target = new URL("./data/", import.meta.url);
await Deno.mkdir(new URL("sync/", target), { recursive: true });

for (const name of ["routing.json", "sync/index.json", "sync/accept.json"]) {
  const text = await Deno.readTextFile(`${source}/${name}`);
  const reduced = JSON.parse(text, (key, value) => {
    if (DROPPED.has(key)) return undefined;
    return key === "showtables_stdout"
      ? value.replaceAll(ERROR_LINES, "")
      : value;
  });
  await Deno.writeTextFile(
    new URL(name, target),
    `${JSON.stringify(reduced)}\n`,
  );
}
for await (const { name } of Deno.readDir(`${source}/sync`)) {
  if (!name.endsWith(".txt")) continue;
  await Deno.copyFile(
    `${source}/sync/${name}`,
    new URL(`sync/${name}`, target),
  );
  await Deno.chmod(new URL(`sync/${name}`, target), 0o644);
}
