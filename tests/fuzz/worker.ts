// The thread that runs inputs. It may hang, so another one watches it.
import { appendToCorpus, readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Blackboard, type FuzzNews, type FuzzOrder } from "./messages.ts";
import { Random } from "./random.ts";
import { distilled, failureOf, shrunk } from "./shrink.ts";
import { openTarget, type Target } from "./target.ts";

const REPORT_MS = 2000;

declare const self: {
  onmessage: (event: MessageEvent<FuzzOrder>) => void;
  postMessage(news: FuzzNews): void;
  /** With `--expose-gc`. */
  gc?(): void;
};

self.onmessage = async ({ data: order }) => {
  const board = new Blackboard(order.board);
  const target = await openTarget(order.name);
  // Refusing is most of the work, and nobody reads where from.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    await fuzz(order, target, board);
  } catch (error) {
    const input = await shrunk(target, board.input, (it) => board.write(it));
    Error.stackTraceLimit = stackTraceLimit;
    const again = await failureOf(target, input);
    self.postMessage({ kind: "failure", what: textOf(again ?? error), input });
  }
};

async function fuzz(
  { name, seed, runs, seconds, keep }: FuzzOrder,
  target: Target,
  board: Blackboard,
): Promise<void> {
  const coverage = await Coverage.start();
  const starting = (input: Uint8Array) => board.write(input);
  const corpus = readCorpus(name);
  const random = new Random(seed);
  const fuzzer = new Fuzzer(target, corpus, random, coverage, starting);
  const started = performance.now();
  let reported = started;
  const report = (kind: "progress" | "end") => {
    // Buffers are given back behind the first one's back.
    for (let k = 0; k < 2; k++) self.gc?.();
    const { heapUsed, external } = Deno.memoryUsage();
    reported = performance.now();
    self.postMessage({
      kind,
      runs: fuzzer.runs,
      seconds: (reported - started) / 1000,
      found: fuzzer.found.length,
      coverage: coverage.bytes,
      heap: heapUsed + external,
    });
  };
  await fuzzer.replay();
  const end = started + seconds * 1000;
  while (fuzzer.runs < runs && performance.now() < end) {
    await fuzzer.step(runs - fuzzer.runs);
    if (performance.now() - reported > REPORT_MS) report("progress");
  }
  if (keep) {
    const found = await distilled(target, coverage, corpus, fuzzer.found);
    if (found.length > 0) appendToCorpus(name, `seed ${seed}`, found);
  }
  report("end");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
