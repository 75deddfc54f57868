import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../src/config/anytun.ts";
import { namesOf } from "../../src/config/option.ts";
import { anytunTable } from "../../src/config/table.ts";
import { loadVectors } from "../support/vectors.ts";

/** How a program ended, and which stream got text. */
interface Outcome {
  readonly exit: number | "keeps running";
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Column of the `^` below a syntax error. */
  readonly caret: number | null;
}

interface OurOutcome extends Outcome {
  readonly message: string;
}

interface Sample extends Outcome {
  readonly program: string;
  readonly argv: readonly string[];
}

interface CliVectors {
  /** Names of each program's options. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly samples: readonly Sample[];
}

type Verdict = "runs" | "syntax error" | "option error";

/** Where this program differs from the original, and why. */
interface Deviation {
  readonly reason: string;
  readonly line: RegExp;
  /** Of the original, where the line alone does not tell. */
  readonly exit?: number;
  readonly ours: Verdict;
}

const DEVIATIONS: readonly Deviation[] = [
  {
    reason: "numbers are decimal and in range (CLI section 1)",
    line: /-[pob] (abc|http|70000|99999999999)( |$)/,
    ours: "syntax error",
  },
  {
    reason: "names of algorithms are checked at the start (CLI section 2)",
    line: /-[ck] (foo|AES-CTR|aes-ctr-64)( |$)/,
    ours: "syntax error",
  },
  {
    reason: "a prefix length is a number that fits the address (CLI section 1)",
    line: /-n 10\.9\.0\.1\/(99)?$/,
    ours: "syntax error",
  },
  {
    reason:
      "a value that cannot be used is a syntax error, on standard error " +
      "and with the usage, whichever option it belongs to",
    line: /-L (foo|eventlog|STDOUT|syslog)?:3|-a foo|-t foo$|-n foo\/24/,
    ours: "syntax error",
  },
  {
    reason: "options that do not go together are reported on standard error",
    line: /-L stdout:3 -L stdout:4|^-U -d pbA$/,
    ours: "option error",
  },
  {
    reason: "the device may have an IPv6 address",
    line: /-n fd00::1\/64/,
    ours: "runs",
  },
  {
    reason: "not the arguments are wrong, but what the program meets later",
    line: /-d lo |-i 192\.0\.2\.99|^-U -d pbA -t tun -i 127.0.0.1 -p 10001$/,
    exit: 255,
    ours: "runs",
  },
];

const { options, samples } = loadVectors<CliVectors>("cli.json");
const anytunSamples = samples.filter(({ program }) => program === "anytun");
const ourNames = new Set(Object.values(anytunTable).flatMap(namesOf));
const laterNames = options.anytun?.filter((name) => !ourNames.has(name)) ?? [];

function lineOf({ argv }: Sample): string {
  return argv.map((argument) => argument === "" ? "''" : argument).join(" ");
}

function deviationOf(sample: Sample): Deviation | undefined {
  const line = lineOf(sample);
  return DEVIATIONS.find((deviation) =>
    deviation.line.test(line) && sample.exit === (deviation.exit ?? sample.exit)
  );
}

function outcomeOf(argv: readonly string[]): OurOutcome {
  const result = readAnytunCommandLine(argv, { deno: "2.0.0", v8: "13.0" });
  const silent = { stdout: false, stderr: false, caret: null, message: "" };
  switch (result.kind) {
    case "run":
      return { ...silent, exit: "keeps running" };
    case "print":
      return { ...silent, exit: 0, stdout: result.text !== "" };
    case "error":
      return {
        exit: result.status,
        stdout: result.stdout !== "",
        stderr: result.stderr !== "",
        caret: /^.*\n( *)\^\n/.exec(result.stderr)?.[1]?.length ?? null,
        message: result.stderr,
      };
  }
}

function verdictOf({ exit, stdout, stderr, message }: OurOutcome): Verdict {
  if (exit === "keeps running") return "runs";
  assert.equal(exit, 255);
  assert.ok(stderr, "an error has a text");
  assert.equal(stdout, message.startsWith("syntax error: "), message);
  return stdout ? "syntax error" : "option error";
}

/**
 * The original runs without keys, which we never do (SATP section 2.4): to
 * compare the rest of such a line, it is given a passphrase.
 */
function withKeys(argv: readonly string[]): readonly string[] {
  const ours = outcomeOf(argv);
  if (!ours.message.startsWith("Cannot derive session keys")) return argv;
  assert.equal(verdictOf(ours), "option error");
  return [...argv, "-E", "passphrase"];
}

Deno.test("anytun takes the arguments of the original", async (test) => {
  for (const sample of anytunSamples) {
    const later = sample.argv.find((argument) => laterNames.includes(argument));
    await test.step({
      name: lineOf(sample) + (later ? ` (${later} is not there yet)` : ""),
      ignore: later !== undefined,
      fn() {
        const ours = outcomeOf(withKeys(sample.argv));
        const deviation = deviationOf(sample);
        if (deviation !== undefined) {
          assert.equal(verdictOf(ours), deviation.ours, deviation.reason);
          return;
        }
        assert.equal(ours.exit, sample.exit, ours.message);
        if (sample.exit === "keeps running") return;
        assert.equal(ours.stdout, sample.stdout, "text on standard output");
        assert.equal(ours.stderr, sample.stderr, "text on standard error");
        assert.equal(ours.caret, sample.caret, ours.message);
      },
    });
  }
});

Deno.test("options that are not there yet are refused", () => {
  for (const name of laterNames) {
    const { exit, message } = outcomeOf(["-D", "-E", "x", name, "value"]);
    assert.equal(exit, 255);
    assert.ok(message.startsWith(`syntax error: ${name}\n`), message);
  }
});

Deno.test("every deviation from the original is one", () => {
  for (const deviation of DEVIATIONS) {
    const deviating = anytunSamples.filter((sample) => {
      if (deviationOf(sample) !== deviation) return false;
      const ours = outcomeOf(withKeys(sample.argv));
      return ours.exit !== sample.exit || ours.stdout !== sample.stdout ||
        ours.stderr !== sample.stderr;
    });
    assert.notEqual(deviating.length, 0, deviation.reason);
  }
});
