/**
 * The native plane as the main thread sees it: workers that carry packets, and
 * what becomes of them.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import { Bell } from "../../ffi/poll.ts";
import type { Logger } from "../log/logger.ts";
import { PLANE_COUNTERS } from "./counters.ts";
import type {
  Direction,
  NativeSetup,
  WorkerMessage,
} from "./native_messages.ts";

/** What is the same for all workers. */
export type NativeOptions = Omit<
  NativeSetup,
  "direction" | "bell" | "stop" | "counters"
>;

/** One worker from its birth to its end. */
class Carrier {
  readonly direction: Direction;
  readonly bell: Bell;
  /** The plane's counters that this worker writes. */
  readonly counters = new SharedArrayBuffer(PLANE_COUNTERS * 8);
  readonly loaded = Promise.withResolvers<void>();
  readonly ready = Promise.withResolvers<void>();
  readonly ended = Promise.withResolvers<void>();
  readonly #worker: Worker;

  constructor(libc: Libc, direction: Direction) {
    this.direction = direction;
    this.bell = Bell.open(libc);
    // Whoever waits first learns of a failure; the others need not.
    for (const { promise } of [this.loaded, this.ready, this.ended]) {
      promise.catch(() => {});
    }
    this.#worker = new Worker(
      new URL("./native_worker.ts", import.meta.url),
      { type: "module" },
    );
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  listen(logger: () => Logger | undefined): void {
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      switch (data.kind) {
        case "loaded":
          return this.loaded.resolve();
        case "ready":
          return this.ready.resolve();
        case "log":
          return logger()?.[data.level](data.text);
        case "stopped":
          return this.ended.resolve();
        case "failed":
          return this.#fail(data.reason);
      }
    };
  }

  send(setup: NativeSetup): void {
    this.#worker.postMessage(setup);
  }

  #fail(reason: string): void {
    const error = new Error(`a worker of the data plane died: ${reason}`);
    this.loaded.reject(error);
    this.ready.reject(error);
    this.ended.reject(error);
  }
}

/** Workers, first loaded, then started, then stopped. */
export class NativePlane {
  readonly #carriers: readonly Carrier[];
  readonly #stop = new SharedArrayBuffer(4);
  #logger: Logger | undefined;

  private constructor(carriers: readonly Carrier[]) {
    this.#carriers = carriers;
  }

  /**
   * Makes the workers. They do nothing yet.
   *
   * @param workers 1 for both directions in one, 2 for one each
   * @throws if the runtime cannot load them, as without --allow-read when the
   * program runs from source
   */
  static async load(libc: Libc, workers: 1 | 2): Promise<NativePlane> {
    const directions: Direction[] = workers === 1 ? ["both"] : ["out", "in"];
    const carriers = directions.map((way) => new Carrier(libc, way));
    const plane = new NativePlane(carriers);
    for (const carrier of carriers) carrier.listen(() => plane.#logger);
    try {
      await Promise.all(carriers.map(({ loaded }) => loaded.promise));
      return plane;
    } catch (error) {
      plane.#release();
      throw error;
    }
  }

  /**
   * Lets the workers carry; resolves when all of them do.
   *
   * @throws if one of them cannot
   */
  async start(options: NativeOptions, logger: Logger): Promise<void> {
    this.#logger = logger;
    for (const carrier of this.#carriers) {
      carrier.send({
        ...options,
        direction: carrier.direction,
        counters: carrier.counters,
        bell: carrier.bell.fd,
        stop: this.#stop,
      });
    }
    await Promise.all(this.#carriers.map(({ ready }) => ready.promise));
  }

  /** The plane's counters, of all workers together. */
  counters(): Float64Array {
    const sum = new Float64Array(PLANE_COUNTERS);
    for (const { counters } of this.#carriers) {
      new Float64Array(counters).forEach((n, k) => sum[k] = (sum[k] ?? 0) + n);
    }
    return sum;
  }

  /**
   * Resolves when all workers have stopped.
   *
   * @throws as soon as one has died; the others are told to stop, so that
   * nothing is sent by half a plane
   */
  async finished(): Promise<void> {
    try {
      await Promise.all(this.#carriers.map(({ ended }) => ended.promise));
    } finally {
      this.stop();
      this.#release();
    }
  }

  /** Tells the workers to stop. */
  stop(): void {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    for (const { bell } of this.#carriers) bell.ring();
  }

  // A worker that still runs keeps polling its bell: closing it would hand its
  // number to another file. It ends with the process.
  #release(): void {
    for (const { bell, ended } of this.#carriers) {
      ended.promise.then(() => bell.close(), () => {});
    }
  }
}
