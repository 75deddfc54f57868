// Options of `deno task fuzz`.
import { parseArgs } from "node:util";

export interface FuzzOptions {
  readonly help: boolean;
  readonly targets: readonly string[];
  /** Of each target, whichever comes first. */
  readonly runs: number;
  readonly seconds: number;
  readonly seed: number;
  readonly keep: boolean;
  /** Targets at a time. */
  readonly jobs: number;
  /** Whether what came of it is written down. */
  readonly save: boolean;
  /** Whether what was written down is printed as a table, and nothing else done. */
  readonly markdown: boolean;
  /** A file with an input, which alone is run. */
  readonly input: string | undefined;
}

export const USAGE = `deno task fuzz [target...] [options]

  --runs N      end after N inputs of each target
  --seconds S   end after S seconds of each target (10, unless --runs is given)
  --seed N      begin the random numbers with N (the time)
  --keep        add inputs that run something new to the corpus
  --jobs N      run N targets at a time (1)
  --save        write what came of each target into bench/results/fuzz.json
  --markdown    print that file as a table, and do nothing else
  --input FILE  run what is in this file, and nothing else
`;

const DEFAULT_SECONDS = 10;

/** @throws if an option is wrong */
export function parseOptions(
  argv: readonly string[],
  known: readonly string[],
  now: number,
): FuzzOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      runs: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      keep: { type: "boolean", default: false },
      jobs: { type: "string" },
      save: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      input: { type: "string" },
    },
  });
  for (const name of positionals) {
    if (known.includes(name)) continue;
    throw new Error(`Cannot fuzz ${name}: there are ${known.join(", ")}`);
  }
  const runs = count("--runs", values.runs);
  const seconds = count("--seconds", values.seconds);
  if (values.input !== undefined && positionals.length !== 1) {
    throw new Error("Cannot use --input: name the one target that it is for");
  }
  return {
    help: values.help,
    targets: positionals.length > 0 ? positionals : known,
    runs: runs ?? Infinity,
    seconds: seconds ?? (runs === undefined ? DEFAULT_SECONDS : Infinity),
    seed: count("--seed", values.seed) ?? now % 0x7fffffff,
    keep: values.keep,
    jobs: count("--jobs", values.jobs) ?? 1,
    save: values.save,
    markdown: values.markdown,
    input: values.input,
  };
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Error(`Cannot use ${name} ${text}: it must be 1 or more`);
}
