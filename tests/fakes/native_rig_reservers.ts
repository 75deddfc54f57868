/**
 * Threads that take sequence numbers at the same time.
 *
 * @module
 */
import type { ConnectionTable } from "../../src/tunnel/connection_table.ts";
import type { Reservation, ReserverOrder } from "./native_rig_reserver.ts";

/** How threads take numbers. */
export interface Reserving {
  readonly threads: number;
  /** How many times each takes some at least. */
  readonly rounds: number;
  /** How many numbers each takes at a time at most. */
  readonly most: number;
  /** One more than the highest number, if there is more than one sender id. */
  readonly limit?: number;
}

/**
 * Lets threads take sequence numbers of one connection, all at once.
 *
 * @param meanwhile Called again and again; they may end when it returns true
 * @returns What each thread got, in its order
 */
export async function reserveInThreads(
  table: ConnectionTable,
  mux: number,
  { threads, rounds, most, limit }: Reserving,
  meanwhile: () => boolean = () => true,
): Promise<Reservation[][]> {
  const gate = new SharedArrayBuffer(8);
  const words = new Int32Array(gate);
  words[0] = threads;
  const order: ReserverOrder = {
    table: table.shared,
    mux,
    gate,
    rounds,
    most,
    limit,
  };
  let running = threads;
  const results = Array.from({ length: threads }, async () => {
    const worker = new Worker(
      new URL("./native_rig_reserver.ts", import.meta.url),
      { type: "module" },
    );
    try {
      return await answerOf(worker, order);
    } finally {
      running--;
      worker.terminate();
    }
  });
  const all = Promise.all(results);
  while (running > 0) {
    if (meanwhile()) Atomics.store(words, 1, 1);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await all;
}

function answerOf(
  worker: Worker,
  order: ReserverOrder,
): Promise<Reservation[]> {
  const answer = Promise.withResolvers<Reservation[]>();
  worker.onmessage = ({ data }: MessageEvent<Reservation[]>) =>
    answer.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    answer.reject(new Error(event.message));
  };
  worker.postMessage(order);
  return answer.promise;
}
