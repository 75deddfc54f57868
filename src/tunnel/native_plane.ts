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

/** Who hears what the workers have to say. */
export interface NativeListener {
  readonly logger: Logger;
  /** Called when the peer of a connection is heard from another endpoint. */
  readonly moved: (mux: number) => void;
}

/** One worker from its birth to its end. */
class Carrier {
  readonly direction: Direction;
  /** The plane's counters that this worker writes. */
  readonly counters = new SharedArrayBuffer(PLANE_COUNTERS * 8);
  readonly loaded = Promise.withResolvers<void>();
  readonly ready = Promise.withResolvers<void>();
  readonly ended = Promise.withResolvers<void>();
  readonly #bell: Bell;
  readonly #worker: Worker;
  #state: "waiting" | "carrying" | "ended" = "waiting";

  constructor(
    libc: Libc,
    direction: Direction,
    listener: () => NativeListener | undefined,
  ) {
    this.direction = direction;
    // Whoever waits first learns of a failure; the others need not.
    for (const { promise } of [this.loaded, this.ready, this.ended]) {
      promise.catch(() => {});
    }
    this.#bell = Bell.open(libc);
    this.#worker = new Worker(
      new URL("./native_worker.ts", import.meta.url),
      { type: "module" },
    );
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      switch (data.kind) {
        case "loaded":
          return this.loaded.resolve();
        case "ready":
          return this.ready.resolve();
        case "log":
          return listener()?.logger[data.level](data.text);
        case "moved":
          return listener()?.moved(data.mux);
        case "stopped":
          return this.#end();
        case "failed":
          return this.#fail(data.reason);
      }
    };
  }

  /** Lets it carry. */
  start(setup: Omit<NativeSetup, "direction" | "bell" | "counters">): void {
    if (this.#state !== "waiting") return;
    this.#state = "carrying";
    const { direction, counters } = this;
    const message: NativeSetup = {
      ...setup,
      direction,
      counters,
      bell: this.#bell.fd,
    };
    this.#worker.postMessage(message);
  }

  /** Has it look at the word that says whether to stop. */
  wake(): void {
    if (this.#state === "carrying") this.#bell.ring();
    if (this.#state === "waiting") this.#end();
  }

  #fail(reason: string): void {
    const error = new Error(`a worker of the data plane died: ${reason}`);
    this.loaded.reject(error);
    this.ready.reject(error);
    this.ended.reject(error);
    this.#end();
  }

  // Only now does nobody poll the bell any more: its number may go to another
  // file. The worker is past its last packet, or never had one.
  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#bell.close();
    this.#worker.terminate();
    this.ended.resolve();
  }
}

/** Workers, first loaded, then started, then stopped. */
export class NativePlane {
  readonly #carriers: Carrier[] = [];
  readonly #stop = new SharedArrayBuffer(4);
  #listener: NativeListener | undefined;

  private constructor() {}

  /**
   * Makes the workers. They do nothing yet.
   *
   * @param workers 1 for both directions in one, 2 for one each
   * @throws if the runtime cannot load them, as without --allow-read when the
   * program runs from source; none is left then
   */
  static async load(libc: Libc, workers: 1 | 2): Promise<NativePlane> {
    const directions: Direction[] = workers === 1 ? ["both"] : ["out", "in"];
    const plane = new NativePlane();
    const carriers = plane.#carriers;
    try {
      checkModuleAccess();
      for (const direction of directions) {
        carriers.push(new Carrier(libc, direction, () => plane.#listener));
      }
      await Promise.all(carriers.map(({ loaded }) => loaded.promise));
      return plane;
    } catch (error) {
      plane.stop();
      throw error;
    }
  }

  /**
   * Lets the workers carry; resolves when all of them do.
   *
   * @throws if one of them cannot; all have ended then
   */
  async start(options: NativeOptions, listener: NativeListener): Promise<void> {
    this.#listener = listener;
    const stop = this.#stop;
    for (const carrier of this.#carriers) carrier.start({ ...options, stop });
    try {
      await Promise.all(this.#carriers.map(({ ready }) => ready.promise));
    } catch (error) {
      await this.#end();
      throw error;
    }
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
   * Resolves when all workers have stopped: device and sockets can be closed.
   *
   * @throws if one has died. The others were stopped then, so that nothing is
   * sent by half a plane.
   */
  async finished(): Promise<void> {
    try {
      await Promise.all(this.#ends());
    } finally {
      await this.#end();
    }
  }

  /** Tells the workers to stop; those not yet started end at once. */
  stop(): void {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    for (const carrier of this.#carriers) carrier.wake();
  }

  async #end(): Promise<void> {
    this.stop();
    await Promise.allSettled(this.#ends());
  }

  #ends(): Promise<void>[] {
    return this.#carriers.map(({ ended }) => ended.promise);
  }
}

// The runtime would find out by itself, but print its own error on the way.
function checkModuleAccess(): void {
  const module = new URL("./native_worker.ts", import.meta.url);
  if (Deno.build.standalone || module.protocol !== "file:") return;
  const access = { name: "read", path: module } as const;
  if (Deno.permissions.querySync(access).state === "granted") return;
  throw new Error("the workers' module may not be read");
}
