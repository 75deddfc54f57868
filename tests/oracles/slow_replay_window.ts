/**
 * The replay rules of SATP section 9, word for word and with a plain set: slow
 * and easy to compare with the text.
 */
export class SlowReplayWindow {
  #size: number;
  readonly #seen = new Set<number>();
  #highest: number | undefined;

  /** @param size At least 1 */
  constructor(size: number) {
    this.#size = size;
  }

  accept(seq: number): boolean {
    const M = this.#highest;
    const W = this.#size;
    if (M === undefined) return this.#take(seq);
    const H = 0x7fffffff;
    let m = M;
    let s = seq;
    if (M < W) {
      m = mod32(M + H);
      s = mod32(seq + H);
    } else if (M > 0xffffffff - W) {
      m = mod32(M - H);
      s = mod32(seq - H);
    }
    if (s < m - W + 1 || s === m) return false;
    if (s > m) return this.#take(seq);
    if (this.#seen.has(seq)) return false;
    this.#seen.add(seq);
    return true;
  }

  /** Without a check: ahead is what is less than half of the range away. */
  follow(seq: number): void {
    const M = this.#highest;
    if (M !== undefined && mod32(seq - M) >= 2 ** 31) return;
    this.#take(seq);
  }

  forget(): void {
    this.#highest = undefined;
    this.#seen.clear();
  }

  /** All up to this one count as seen. */
  raise(floor: number): void {
    const M = this.#highest;
    const W = this.#size;
    if (M === undefined) {
      this.#highest = floor;
      this.reduce();
      return;
    }
    for (let k = W - 1; k >= 0; k--) {
      const seq = mod32(M - k);
      if (this.#isUpTo(seq, floor, M)) this.#seen.add(seq);
    }
    const isAhead = !this.#isUpTo(floor, M, M);
    if (!isAhead) return;
    this.#highest = floor;
    this.reduce();
  }

  /** As {@linkcode accept} compares, where M is the highest. */
  #isUpTo(a: number, b: number, M: number): boolean {
    const H = 0x7fffffff;
    const shift = M < this.#size ? H : M > 0xffffffff - this.#size ? -H : 0;
    return mod32(a + shift) <= mod32(b + shift);
  }

  /** What has left the smaller window is never new again. */
  resize(size: number): void {
    const M = this.#highest;
    if (M !== undefined) {
      for (let k = this.#size; k < size; k++) this.#seen.add(mod32(M - k));
    }
    this.#size = size;
    this.#forgetOld();
  }

  get highest(): number | undefined {
    return this.#highest;
  }

  /** Keeps the highest number alone: all up to it count as seen. */
  reduce(): void {
    const size = this.#size;
    this.resize(1);
    this.resize(size);
  }

  #take(seq: number): true {
    this.#highest = seq;
    this.#seen.add(seq);
    this.#forgetOld();
    return true;
  }

  #forgetOld(): void {
    const M = this.#highest ?? 0;
    for (const old of this.#seen) {
      if (mod32(M - old) >= this.#size) this.#seen.delete(old);
    }
  }
}

/**
 * The windows of all senders, as a list in which the one that was accepted last
 * stands last; without a window everything is accepted. Those before the last
 * few keep their highest number alone.
 */
export class SlowReplayWindows {
  readonly #size: number;
  readonly #maxSenders: number;
  #senders: { readonly id: number; readonly window: SlowReplayWindow }[] = [];

  constructor(size: number, maxSenders: number) {
    this.#size = size;
    this.#maxSenders = maxSenders;
  }

  highest(id: number): number | undefined {
    return this.#senders.find((sender) => sender.id === id)?.window.highest;
  }

  accept(id: number, seq: number): boolean {
    const known = this.#senders.find((sender) => sender.id === id);
    const window = known?.window ?? new SlowReplayWindow(this.#size || 1);
    if (this.#size === 0) window.follow(seq);
    else if (!window.accept(seq)) return false;
    const others = this.#senders.filter((sender) => sender.id !== id);
    this.#senders = [...others, { id, window }];
    this.#senders.at(-1 - this.#maxSenders)?.window.reduce();
    return true;
  }
}

function mod32(value: number): number {
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
}
