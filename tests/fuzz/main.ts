// `deno task fuzz`: gives parsers of foreign bytes inputs without end, and fails
// where one is refused in a wrong way, takes too long or leaves something behind.
import { readEnvironment } from "../../bench/tunnel/environment.ts";
import { toHex } from "../vectors/vectors.ts";
import { parseCorpus } from "./corpus.ts";
import { Blackboard, type FuzzNews, type FuzzOrder } from "./messages.ts";
import { type FuzzOptions, parseOptions, USAGE } from "./options.ts";
import {
  type FuzzRecord,
  type FuzzResult,
  lineOf,
  type Progress,
  resultOf,
  tableOf,
  withResult,
} from "./results.ts";
import { MAX_BYTES, openTarget, targetNames } from "./target.ts";

/** No input takes a thousandth of it, however busy the machine is. */
const HANG_MS = 10_000;
const LOOK_MS = 250;

/** From a tenth of a run to its end, in bytes. */
const MAX_GROWTH = 8 << 20;

const RECORD = new URL("../../bench/results/fuzz.json", import.meta.url);

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** Fails with an input, which is kept in a file. */
function fail(name: string, what: string, input: Uint8Array): Error {
  const file = `fuzz-${name}-${Deno.pid}.hex`;
  Deno.writeTextFileSync(file, toHex(input) + "\n");
  const again = `deno task fuzz ${name} --input ${file}`;
  return new Error(`${name}: ${what}\nagain: ${again}`);
}

/** @throws if the target fails */
async function fuzz(name: string, options: FuzzOptions): Promise<FuzzResult> {
  const { runs, seconds, seed, keep, jobs } = options;
  const { maxBytes = MAX_BYTES } = await openTarget(name);
  const board = Blackboard.allocate(maxBytes);
  const order: FuzzOrder = { name, seed, runs, seconds, keep, board };
  const url = new URL("worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reports: Progress[] = [];
  worker.onmessage = ({ data }: MessageEvent<FuzzNews>) => {
    if (data.kind === "failure") {
      return reject(fail(name, data.what, data.input));
    }
    reports.push(data);
    // One line is for one target.
    if (jobs === 1) print(`\r${lineOf(resultOf(name, seed, reports))}`);
    if (data.kind === "end") resolve();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`${name}: ${event.message}`));
  };
  const stop = watch(new Blackboard(board), (input) => {
    reject(fail(name, `an input takes more than ${HANG_MS} ms`, input));
  });
  worker.postMessage(order);
  try {
    await promise;
  } finally {
    stop();
    worker.terminate();
  }
  const result = resultOf(name, seed, reports);
  print(`${jobs === 1 ? "\r" : ""}${lineOf(result)}\n`);
  if (result.growth <= MAX_GROWTH) return result;
  throw new Error(`${name}: the heap has grown by ${result.growth} bytes`);
}

/** All targets, some at a time; one that fails does not end the others. */
async function fuzzAll(options: FuzzOptions): Promise<FuzzResult[]> {
  const { targets, jobs, seed } = options;
  const results: FuzzResult[] = [];
  const waiting = [...targets];
  const work = async () => {
    for (let name; (name = waiting.shift()) !== undefined;) {
      const failed = (error: Error): FuzzResult => {
        print(`\n${error.message}\n`);
        return { ...resultOf(name ?? "", seed, []), failure: error.message };
      };
      const result = await fuzz(name, options).catch(failed);
      results.push(result);
      if (options.save) await save(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}

function watch(
  board: Blackboard,
  hangs: (input: Uint8Array) => void,
): () => void {
  let number = board.number;
  let since = performance.now();
  const timer = setInterval(() => {
    if (board.number !== number || number === 0) {
      number = board.number;
      since = performance.now();
    } else if (performance.now() - since > HANG_MS) hangs(board.input);
  }, LOOK_MS);
  return () => clearInterval(timer);
}

function readRecord(): readonly FuzzResult[] {
  try {
    const record: FuzzRecord = JSON.parse(Deno.readTextFileSync(RECORD));
    return record.results;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** At once, so that whoever ends a long run keeps what was done. */
async function save(result: FuzzResult): Promise<void> {
  const environment = await readEnvironment();
  const results = withResult(readRecord(), result);
  const record: FuzzRecord = { environment, results };
  Deno.mkdirSync(new URL(".", RECORD), { recursive: true });
  Deno.writeTextFileSync(RECORD, JSON.stringify(record, null, 1) + "\n");
}

async function runInput(name: string, file: string): Promise<void> {
  const target = await openTarget(name);
  for (const input of parseCorpus(Deno.readTextFileSync(file))) {
    await target.run(input);
  }
  print(`${name}: nothing is wrong with ${file}\n`);
}

async function main(): Promise<number> {
  const options = parseOptions(Deno.args, targetNames(), Date.now());
  const { help, targets, input, seed } = options;
  if (options.markdown) {
    print(tableOf(readRecord()));
    return 0;
  }
  if (help) {
    print(`${USAGE}\ntargets: ${targetNames().join(" ")}\n`);
    return 0;
  }
  if (input !== undefined) {
    await runInput(targets[0] ?? "", input);
    return 0;
  }
  print(`seed ${seed}\n`);
  const results = await fuzzAll(options);
  return results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    print(`${error instanceof Error ? error.message : error}\n`);
    Deno.exit(1);
  }
}
