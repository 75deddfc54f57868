// Workers of the native plane, from the side of the main thread.
import type { Libc } from "../../../ffi/libc.ts";
import { EventFd } from "../../../ffi/poll.ts";
import type { Logger } from "../../log/logger.ts";
import { PLANE_COUNTERS } from "../counters.ts";
import { DeviceTurn } from "./device_turn.ts";
import type { RefusedDatagram } from "../refused_samples.ts";
import type {
  CrewMember,
  NativeSetup,
  WorkerMessage,
  WorkerSetup,
} from "./messages.ts";
import { ThreadBeat } from "./thread_beat.ts";

type Wiring =
  | "beat"
  | "turn"
  | "wakeup"
  | "otherWakeup"
  | "stop"
  | "counters";

export interface NativeOptions
  extends Omit<NativeSetup, Wiring | "role" | "share"> {
  /** Workers by flow; without them one or two carry everything. */
  readonly crew?: readonly CrewMember[] | undefined;
}

const ALONE: readonly CrewMember[] = [{ role: "all" }];
const PAIR: readonly CrewMember[] = [{ role: "in" }, { role: "out" }];

interface NativeListener {
  readonly logger: Logger;
  readonly moved: (mux: number) => void;
  readonly refused?: ((refused: RefusedDatagram) => void) | undefined;
}

class Carrier {
  readonly counters = new SharedArrayBuffer(PLANE_COUNTERS * 8);
  readonly rounds = new SharedArrayBuffer(4);
  readonly loaded = Promise.withResolvers<void>();
  readonly ready = Promise.withResolvers<void>();
  readonly ended = Promise.withResolvers<void>();
  readonly #wakeup: EventFd;
  readonly #worker: Worker;
  #state: "waiting" | "carrying" | "ended" = "waiting";

  constructor(libc: Libc, listener: () => NativeListener | undefined) {
    // Whoever waits first learns of a failure; the others need not.
    for (const { promise } of [this.loaded, this.ready, this.ended]) {
      promise.catch(() => {});
    }
    this.#wakeup = EventFd.open(libc);
    this.#worker = new Worker(workerModule(), { type: "module" });
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
          return listener()?.logger[data.level](data.text, data.fields);
        case "moved":
          return listener()?.moved(data.mux);
        case "refused":
          return listener()?.refused?.(data.refused);
        case "stopped":
          return this.#end();
        case "failed":
          return this.#fail(data.reason);
      }
    };
  }

  start(setup: Omit<NativeSetup, "wakeup" | "counters">): void {
    if (this.#state !== "waiting") return;
    this.#state = "carrying";
    const { counters, rounds, wakeup } = this;
    const message: WorkerSetup = { ...setup, counters, rounds, wakeup };
    this.#worker.postMessage(message);
  }

  get wakeup(): number {
    return this.#wakeup.fd;
  }

  /** Has it look at what it shares with others, if it rests. */
  wake(): void {
    if (this.#state === "carrying") this.#wakeup.signal();
  }

  /** Has it look at the word that says whether to stop. */
  stop(): void {
    this.wake();
    if (this.#state === "waiting") this.#end();
  }

  #fail(reason: string): void {
    const error = new Error(`a worker of the data plane died: ${reason}`);
    this.loaded.reject(error);
    this.ready.reject(error);
    this.ended.reject(error);
    this.#end();
  }

  // Only now does nobody poll the eventfd any more: its number may go to
  // another file. The worker is past its last packet, or never had one.
  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#wakeup.close();
    this.#worker.terminate();
    this.ended.resolve();
  }
}

export class NativePlane {
  readonly #carriers: Carrier[] = [];
  readonly #stop = new SharedArrayBuffer(4);
  readonly #beat = ThreadBeat.allocate();
  #listener: NativeListener | undefined;

  private constructor() {}

  /**
   * @throws if the runtime cannot load the workers, as without --allow-read
   * when the program runs from source
   */
  static async load(libc: Libc, workers: number): Promise<NativePlane> {
    const plane = new NativePlane();
    const carriers = plane.#carriers;
    try {
      checkModuleAccess();
      while (carriers.length < workers) {
        carriers.push(new Carrier(libc, () => plane.#listener));
      }
      await Promise.all(carriers.map(({ loaded }) => loaded.promise));
      return plane;
    } catch (error) {
      plane.stop();
      throw error;
    }
  }

  get workers(): number {
    return this.#carriers.length;
  }

  /**
   * Workers that have nothing to do end.
   *
   * @throws if one of them cannot; all have ended then
   */
  async start(
    { crew = this.workers === 1 ? ALONE : PAIR, ...options }: NativeOptions,
    listener: NativeListener,
  ): Promise<void> {
    this.#listener = listener;
    const shared = {
      ...options,
      stop: this.#stop,
      turn: DeviceTurn.allocate(),
    };
    const spare = this.#carriers.splice(crew.length);
    for (const carrier of spare) carrier.stop();
    this.#carriers.forEach((carrier, k) => {
      const other = this.#carriers[1 - k] ?? carrier;
      const member = crew[k] ?? { role: "all" };
      const beat = { memory: this.#beat, thread: k };
      carrier.start({ ...shared, ...member, beat, otherWakeup: other.wakeup });
    });
    try {
      await Promise.all(this.#carriers.map(({ ready }) => ready.promise));
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  counters(): Float64Array {
    const sum = new Float64Array(PLANE_COUNTERS);
    for (const { counters } of this.#carriers) {
      new Float64Array(counters).forEach((n, k) => sum[k] = (sum[k] ?? 0) + n);
    }
    return sum;
  }

  /** How often each worker has gone round, modulo 2^32. */
  rounds(): readonly number[] {
    return this.#carriers.map(({ rounds }) => new Uint32Array(rounds)[0] ?? 0);
  }

  /** See {@link RunningPlane.beatTo}. */
  beatTo(socket: number): void {
    ThreadBeat.begin(this.#beat, socket);
    this.#wake();
  }

  /** Rejects if a worker has died; half a plane sends nothing. */
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
    for (const carrier of this.#carriers) carrier.stop();
  }

  /** Has workers that rest wipe the keys that are out of use. */
  dropRetired(): void {
    this.#wake();
  }

  /** Has workers that rest send to those that are due in the table. */
  sendDue(): void {
    this.#wake();
  }

  #wake(): void {
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

// The binary is made of bundles: there the worker is JavaScript, and beside us.
function workerModule(): URL {
  const { url } = import.meta;
  return new URL(url.endsWith(".ts") ? "worker.ts" : "worker.js", url);
}

// The runtime would find out by itself, but print its own error on the way.
function checkModuleAccess(): void {
  const module = workerModule();
  if (Deno.build.standalone || module.protocol !== "file:") return;
  const access = { name: "read", path: module } as const;
  if (Deno.permissions.querySync(access).state === "granted") return;
  throw new Error("the workers' module may not be read");
}
