import assert from "node:assert/strict";
import { anytunTable, readAnytunCommandLine } from "../../src/config/anytun.ts";
import type { CommandLine } from "../../src/config/command_line.ts";
import { configTable, readConfigCommandLine } from "../../src/config/config.ts";
import {
  controldTable,
  readControldCommandLine,
} from "../../src/config/controld.ts";
import { namesOf, type OptionTable } from "../../src/config/option.ts";
import {
  type CliSample as Sample,
  lineOf,
  loadCliVectors,
} from "./cli_samples.ts";
import { fakeHostFiles } from "../fakes/host_files.ts";
import {
  type Deviation,
  DEVIATIONS,
  HELP_DEVIATION,
  type Verdict,
} from "./cli_deviations.ts";

interface ProgramUnderTest {
  readonly table: OptionTable;
  readonly read: (argv: readonly string[]) => CommandLine<unknown>;
}

const RUNTIME = { deno: "2.0.0", v8: "13.0" };

const PROGRAMS: Readonly<Record<string, ProgramUnderTest>> = {
  anytun: {
    table: anytunTable,
    read: (argv) => readAnytunCommandLine(argv, RUNTIME, fakeHostFiles()),
  },
  "anytun-config": {
    table: configTable,
    read: (argv) => readConfigCommandLine(argv, RUNTIME, fakeHostFiles()),
  },
  "anytun-controld": {
    table: controldTable,
    read: (argv) => readControldCommandLine(argv, RUNTIME, fakeHostFiles()),
  },
};

const { options, samples } = loadCliVectors();

function samplesOf(name: string): Sample[] {
  return samples.filter(({ program }) => program === name);
}

function deviationOf(sample: Sample): Deviation | undefined {
  const line = lineOf(sample);
  return DEVIATIONS.find((deviation) =>
    deviation.program.test(sample.program) && deviation.line.test(line) &&
    sample.exit === (deviation.exit ?? sample.exit)
  );
}

/** What became of the arguments, whatever the program met afterwards. */
function verdictOfOriginal({ argv, exit, stdout, stderr }: Sample): Verdict {
  if (exit === 255 && stdout && stderr) return "syntax error";
  if (exit === 255) return "error on standard output";
  const asks = argv.some((argument) =>
    /^(-h|-v|--help|--version)$/.test(argument)
  );
  return asks && exit === 0 ? "prints" : "runs";
}

function verdictOf(result: CommandLine<unknown>): Verdict {
  if (result.kind === "run") return "runs";
  if (result.kind === "print") {
    assert.notEqual(result.text, "");
    return "prints";
  }
  assert.equal(result.status, 255);
  assert.notEqual(result.stderr, "", "an error has a text");
  const isSyntax = result.stderr.startsWith("syntax error: ");
  const { pattern, reason } = HELP_DEVIATION;
  assert.equal(pattern.test(result.stderr), isSyntax, reason);
  return isSyntax ? "syntax error" : "option error";
}

function caretOf(result: CommandLine<unknown>): number | null {
  const text = result.kind === "error" ? result.stderr : "";
  return /^.*\n( *)\^\n/.exec(text)?.[1]?.length ?? null;
}

/**
 * The originals run without keys, which we never do (SATP section 2.4): to
 * compare the rest of such a line, it is given a passphrase.
 */
function readWithKeys(
  { read }: ProgramUnderTest,
  argv: readonly string[],
): CommandLine<unknown> {
  const result = read(argv);
  return isRefused(result, /^Cannot derive session keys/)
    ? read([...argv, "-E", "passphrase"])
    : result;
}

function isRefused(result: CommandLine<unknown>, message: RegExp): boolean {
  return result.kind === "error" && message.test(result.stderr);
}

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`${name} has every option of the original`, () => {
    const ours = new Set(Object.values(program.table).flatMap(namesOf));
    const missing = options[name]?.filter((option) => !ours.has(option));
    assert.deepEqual(missing, []);
    assert.notEqual(options[name]?.length, 0);
  });

  Deno.test(`${name} takes the arguments of the original`, async (test) => {
    for (const sample of samplesOf(name)) {
      const result = readWithKeys(program, sample.argv);
      const later = isRefused(result, /is not available yet$/m);
      await test.step({
        name: lineOf(sample) + (later ? " (not available yet)" : ""),
        ignore: later,
        fn() {
          const ours = verdictOf(result);
          const deviation = deviationOf(sample);
          if (deviation !== undefined) {
            assert.equal(ours, deviation.ours, deviation.reason);
            return;
          }
          const message = result.kind === "error" ? result.stderr : "";
          assert.equal(ours, verdictOfOriginal(sample), message);
          assert.equal(caretOf(result), sample.caret, message);
        },
      });
    }
  });
}

Deno.test("with a syntax error the originals print their usage, we do not", () => {
  const faulty = samples.filter((sample) =>
    sample.program in PROGRAMS && verdictOfOriginal(sample) === "syntax error"
  );
  assert.notEqual(faulty.length, 0);
  for (const sample of faulty) {
    assert.ok(sample.stdout, lineOf(sample));
    const result = PROGRAMS[sample.program]?.read(sample.argv);
    assert.doesNotMatch(JSON.stringify(result), /USAGE/, HELP_DEVIATION.reason);
  }
});

Deno.test("every deviation from the original is one", () => {
  for (const deviation of DEVIATIONS) {
    const deviating = samples.filter((sample) => {
      const program = PROGRAMS[sample.program];
      return program !== undefined && deviationOf(sample) === deviation &&
        verdictOf(readWithKeys(program, sample.argv)) !==
          verdictOfOriginal(sample);
    });
    assert.notEqual(deviating.length, 0, deviation.reason);
  }
});
