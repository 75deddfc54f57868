// Loop of a worker of the native plane.
import { type EventFd, POLLIN, type PollSet } from "../../../ffi/poll.ts";
import type { Connections } from "../connection.ts";
import type { DeviceTurn } from "./device_turn.ts";
import type { InboundPump } from "./inbound_pump.ts";
import type { OutboundPump } from "./outbound_pump.ts";
import type { PlaneLog } from "../plane_log.ts";
import { BEAT_MS, type ThreadBeat } from "./thread_beat.ts";

/** Without packets for as long, a moment is quiet. */
const QUIET_MS = 1;

/** Of idle work in a quiet moment. */
const STEPS = 8;

/** Work that can wait, in steps that are hardly longer than a packet's way. */
export interface IdleWork {
  readonly isDone: boolean;
  step(): void;
  /** Leaves out a step. */
  skip(): void;
}

interface CarryLoopOptions {
  /** Empty, with room for device, sockets and eventfd. */
  readonly wait: Pick<PollSet, "add" | "watch" | "wait" | "ready">;
  /** Signalled when there is something else to look at than packets. */
  readonly wakeup: Pick<EventFd, "fd" | "drain">;
  readonly device: number;
  readonly outbound: Pick<OutboundPump, "pump" | "drain" | "sendDue">;
  /** Without one the worker carries only out. */
  readonly inbound: Pick<InboundPump, "pump"> | undefined;
  readonly sockets: readonly number[];
  /** Those of both pumps. */
  readonly connections: Pick<
    Connections,
    "dropSomeRetired" | "hasRetired" | "raiseFloors"
  >;
  /** Without one the device is read by nobody else. */
  readonly turn: DeviceTurn | undefined;
  /** Longest rest, and how long log lines are held back, in milliseconds. */
  readonly maxRest: number;
  /** Done when there are no packets. */
  readonly idle: IdleWork;
  readonly beat: Pick<ThreadBeat, "isWanted" | "send">;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  readonly log: Pick<PlaneLog, "flush">;
}

export class CarryLoop {
  readonly #options: CarryLoopOptions;
  readonly #deviceIndex: number;
  readonly #wakeupIndex: number;
  #readsDevice = true;
  #flushAt = 0;
  #beatAt = 0;

  constructor(options: CarryLoopOptions) {
    const { wait, device, wakeup, sockets } = options;
    this.#options = options;
    this.#deviceIndex = wait.add(device);
    this.#wakeupIndex = wait.add(wakeup.fd);
    if (options.inbound !== undefined) {
      for (const fd of sockets) wait.add(fd);
    }
  }

  /** @returns Whether it has rested */
  round(): boolean {
    const { outbound, inbound, connections, idle } = this.#options;
    connections.dropSomeRetired();
    connections.raiseFloors();
    // Packets get the code warm as well.
    if (!idle.isDone) idle.skip();
    this.#lookWhoseTurn();
    // First in, then out: an answer to what comes in may go out at once.
    let more = inbound !== undefined && inbound.pump();
    if (this.#readsDevice) outbound.sendDue();
    if (this.#readsDevice && outbound.pump()) more = true;
    const shouldPass = more ? this.#worked() : this.#rest();
    if (shouldPass === true) this.#pass();
    return !more;
  }

  /** @returns Whether the other worker should read the device */
  #worked(): boolean {
    // In each round: of joined datagrams one may take a slow processor long.
    this.#beat();
    return this.#options.turn?.worked() ?? false;
  }

  #lookWhoseTurn(): void {
    const { turn, wait } = this.#options;
    if (turn === undefined || turn.isOwn === this.#readsDevice) return;
    this.#readsDevice = turn.isOwn;
    if (this.#readsDevice) turn.begin();
    wait.watch(this.#deviceIndex, this.#readsDevice ? POLLIN : 0);
  }

  /** @returns Whether the other worker should read the device */
  #rest(): boolean {
    const { beat, wait, wakeup, turn, maxRest } = this.#options;
    const longest = this.#readsDevice ? turn?.longestRest : undefined;
    const limit = Math.min(maxRest, longest ?? maxRest);
    const ready = this.#wait(beat.isWanted ? Math.min(limit, BEAT_MS) : limit);
    if (wait.ready(this.#wakeupIndex) !== 0) wakeup.drain();
    this.#beat();
    this.#flushLog();
    return turn?.rested(ready === 0) ?? false;
  }

  // A thread that never sleeps gets its processor late when a packet comes: so
  // it sleeps between a few steps of idle work and the next ones, and what comes
  // meanwhile waits for one step at most.
  #wait(limit: number): number {
    const { connections, wait, idle } = this.#options;
    while (connections.hasRetired) {
      const ready = wait.wait(0);
      if (ready > 0) return ready;
      connections.dropSomeRetired();
      this.#beat();
    }
    while (!idle.isDone) {
      let ready = wait.wait(QUIET_MS);
      for (let k = 0; k < STEPS && ready === 0 && !idle.isDone; k++) {
        idle.step();
        ready = wait.wait(0);
      }
      if (ready > 0) return ready;
      this.#beat();
    }
    return wait.wait(limit);
  }

  #beat(): void {
    const { beat, now } = this.#options;
    if (!beat.isWanted) return;
    const time = now();
    if (time < this.#beatAt) return;
    this.#beatAt = time + BEAT_MS;
    beat.send();
  }

  #flushLog(): void {
    const { log, now, maxRest } = this.#options;
    const time = now();
    if (time < this.#flushAt) return;
    this.#flushAt = time + maxRest;
    log.flush();
  }

  // What was read before must go out before what is read next.
  #pass(): void {
    this.#options.outbound.drain();
    this.#options.turn?.pass();
  }
}
