// Settings of the data plane that change while it runs: a word each, in memory
// that the threads share. The main thread writes, workers read them once for
// each batch.

import type { DscpChoice, MssChoice } from "./settings.ts";

/** Of {@link LiveSettings.mssBound}: whatever fits the path. */
export const MSS_AUTO = 0xffff;

/** Of {@link LiveSettings.dscpCode}; others are code points, 0 to 63. */
export const DSCP_OFF = -1;
export const DSCP_COPY = 64;

// Places of the words.
const MSS = 0;
const DEVICE_MTU = 1;
const DSCP = 2;
const ECN = 4;
const WORDS = 16;

interface LiveChoices {
  readonly mss: MssChoice;
  readonly dscp: DscpChoice;
  readonly ecn: boolean;
}

export class LiveSettings {
  readonly #words: Int32Array;

  static allocate(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(WORDS * 4);
    new Int32Array(shared)[DSCP] = DSCP_OFF;
    return shared;
  }

  /** @param shared Of {@link allocate}; without one everything is off */
  constructor(shared: SharedArrayBuffer = LiveSettings.allocate()) {
    this.#words = new Int32Array(shared);
  }

  /** What options say, at the start and later on. */
  take({ mss, dscp, ecn }: LiveChoices): void {
    this.mss = mss;
    this.dscp = dscp;
    this.ecn = ecn;
  }

  /** For other threads. */
  get shared(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** The most that is let through, 0 where nobody looks, or {@link MSS_AUTO}. */
  get mssBound(): number {
    return this.#get(MSS);
  }

  set mss(choice: MssChoice) {
    this.#set(
      MSS,
      choice === "off" ? 0 : choice === "auto" ? MSS_AUTO : choice,
    );
  }

  /** Bytes of the longest packet that the device takes; 0 while unknown. */
  get deviceMtu(): number {
    return this.#get(DEVICE_MTU);
  }

  set deviceMtu(bytes: number) {
    this.#set(DEVICE_MTU, bytes);
  }

  /** {@link DSCP_OFF}, {@link DSCP_COPY} or a code point. */
  get dscpCode(): number {
    return this.#get(DSCP);
  }

  set dscp(choice: DscpChoice) {
    const isName = typeof choice === "string";
    const named = choice === "copy" ? DSCP_COPY : DSCP_OFF;
    this.#set(DSCP, isName ? named : choice);
  }

  /** Whether marks of congestion go from packets to datagrams, and back. */
  get ecn(): boolean {
    return this.#get(ECN) !== 0;
  }

  set ecn(isOn: boolean) {
    this.#set(ECN, isOn ? 1 : 0);
  }

  #get(word: number): number {
    return Atomics.load(this.#words, word);
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
  }
}
