// Choice of the worker that reads the device. While little happens it is that
// of the way in, so that an answer to what it has just delivered need not wake
// another thread; when it is busy the other one takes over.
import type { EventFd } from "../../../ffi/poll.ts";

/** The worker that reads the device while there is little, or much, to do. */
export type DeviceReader = "in" | "out";

const WORD_IN = 0;
const WORD_OUT = 1;

/** Rounds without a rest until a worker counts as busy. */
const BUSY_ROUNDS = 16;

/** So many rests are looked at together. */
const RESTS = 32;

/** As many milliseconds for that many rests mean that there is little to do. */
const QUIET_MS = 64;

/** As long as poll(2) can wait. No infinity: that would be a new object. */
const LONGEST_MS = 2 ** 31 - 1;

/** One worker's view of whose turn it is; only the one whose turn it is acts. */
export class DeviceTurn {
  readonly #carriesIn: boolean;
  readonly #word: Int32Array;
  readonly #other: Pick<EventFd, "signal">;
  readonly #now: () => number;
  #rounds = 0;
  #rests = 0;
  #since = 0;

  /** @param word Memory of {@link DeviceTurn.allocate}, shared by both workers */
  constructor(
    own: DeviceReader,
    word: SharedArrayBuffer,
    other: Pick<EventFd, "signal">,
    now: () => number,
  ) {
    this.#carriesIn = own === "in";
    this.#word = new Int32Array(word);
    this.#other = other;
    this.#now = now;
    this.begin();
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  static assign(word: SharedArrayBuffer, reader: DeviceReader): void {
    const value = reader === "in" ? WORD_IN : WORD_OUT;
    Atomics.store(new Int32Array(word), 0, value);
  }

  get isOwn(): boolean {
    return (Atomics.load(this.#word, 0) === WORD_IN) === this.#carriesIn;
  }

  /** How long to wait, in ms, in one's turn, before it should be passed. */
  get longestRest(): number {
    return this.#carriesIn ? LONGEST_MS : QUIET_MS;
  }

  /** Counts anew, as the turn has come to this worker. */
  begin(): void {
    this.#rounds = 0;
    this.#rests = 0;
    this.#since = this.#now();
  }

  /** @returns Whether the other worker should read the device from now on */
  worked(): boolean {
    return this.#carriesIn && ++this.#rounds >= BUSY_ROUNDS && this.isOwn;
  }

  /** As {@link worked}, after a rest. */
  rested(timedOut: boolean): boolean {
    this.#rounds = 0;
    if (this.#carriesIn) return false;
    if (!timedOut && ++this.#rests < RESTS) return false;
    const now = this.#now();
    const isQuiet = timedOut || now - this.#since >= QUIET_MS;
    this.#rests = 0;
    this.#since = now;
    return isQuiet && this.isOwn;
  }

  pass(): void {
    Atomics.store(this.#word, 0, this.#carriesIn ? WORD_OUT : WORD_IN);
    this.#other.signal();
  }
}
