/**
 * Copies what the tests need of the recorded command lines into this
 * repository: arguments, how the program ended, which stream got text, and where
 * the caret of a syntax error stood. The texts themselves stay where they are.
 *
 * Run it where the full set is at hand:
 * `deno run --allow-read --allow-write tests/vectors/copy_cli_data.ts DIRECTORY`
 *
 * @module
 */
import process from "node:process";

interface Recorded {
  readonly program: string;
  readonly argv: readonly string[];
  readonly exited_by_itself: boolean;
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly usage?: { readonly options: readonly (readonly string[])[] };
}

const source = Deno.args[0];
if (source === undefined) {
  process.stderr.write("usage: copy_cli_data.ts DIRECTORY\n");
  Deno.exit(2);
}

const text = await Deno.readTextFile(`${source}/cli.json`);
const { samples } = JSON.parse(text) as { samples: readonly Recorded[] };
const programs = new Set(samples.map(({ program }) => program));
const reduced = {
  options: Object.fromEntries(
    Array.from(programs, (program) => [
      program,
      samples.find((sample) => sample.program === program && sample.usage)
        ?.usage?.options.flat() ?? [],
    ]),
  ),
  samples: samples.map(({ program, argv, stdout, stderr, ...sample }) => ({
    program,
    argv: argv.slice(1),
    exit: sample.exited_by_itself ? sample.exit_code : "keeps running",
    stdout: stdout !== "",
    stderr: stderr !== "",
    caret: /^syntax error: .*\n( *)\^\n$/.exec(stderr)?.[1]?.length ?? null,
  })),
};
const lines = JSON.stringify(reduced).replaceAll('{"program"', '\n{"program"');
await Deno.writeTextFile(
  new URL("./data/cli.json", import.meta.url),
  `${lines}\n`,
);
