// `deno task fuzz`: gives parsers of foreign bytes inputs without end, and fails
// where one is refused in a wrong way, takes too long or leaves something behind.
import { toHex } from "../vectors/vectors.ts";
import { parseCorpus } from "./corpus.ts";
import { Blackboard, type FuzzNews, type FuzzOrder } from "./messages.ts";
import { type FuzzOptions, parseOptions, USAGE } from "./options.ts";
import { MAX_BYTES, openTarget, targetNames } from "./target.ts";

/** No input takes a thousandth of it, however busy the machine is. */
const HANG_MS = 10_000;
const LOOK_MS = 250;

/** From a tenth of a run to its end, in bytes. */
const MAX_GROWTH = 8 << 20;

type Progress = Extract<FuzzNews, { readonly runs: number }>;

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
async function fuzz(name: string, options: FuzzOptions): Promise<void> {
  const { runs, seconds, seed, keep } = options;
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
    print(`\r${lineOf(name, reports)}`);
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
    print("\n");
  }
  const growth = growthOf(reports);
  if (growth > MAX_GROWTH) {
    throw new Error(`${name}: the heap has grown by ${growth} bytes`);
  }
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

/** After a tenth everything is loaded, compiled and mostly found. */
function growthOf(reports: readonly Progress[]): number {
  const last = reports.at(-1);
  const first = reports.find(({ runs }) => runs * 10 >= (last?.runs ?? 0));
  return (last?.heap ?? 0) - (first?.heap ?? 0);
}

function lineOf(name: string, reports: readonly Progress[]): string {
  const last = reports.at(-1);
  if (last === undefined) return name;
  const { runs, seconds, found, coverage } = last;
  return [
    name.padEnd(16),
    `${runs} runs`,
    `${Math.round(runs / seconds)}/s`,
    `${found} found, ${coverage} bytes of code`,
    `heap ${(growthOf(reports) / 1024).toFixed(0)} KiB more   `,
  ].join("  ");
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
  if (help) {
    print(`${USAGE}\ntargets: ${targetNames().join(" ")}\n`);
    return 0;
  }
  if (input !== undefined) {
    await runInput(targets[0] ?? "", input);
    return 0;
  }
  print(`seed ${seed}\n`);
  for (const name of targets) await fuzz(name, options);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    print(`${error instanceof Error ? error.message : error}\n`);
    Deno.exit(1);
  }
}
