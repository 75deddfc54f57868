// History of a link to a server: since when it is down, and whether all that the
// server knows was heard through it.

/** What is known of a link now. */
export interface LinkView {
  /** Milliseconds; undefined while it is up. */
  readonly downFor: number | undefined;
  /** Whether the other host said last that nobody serves: then it is there. */
  readonly isRefused: boolean;
  /** Whether all that the server knows was heard at least once. */
  readonly hasTable: boolean;
}

/**
 * An original marks no end of the table that it begins with: what is silent for
 * so long, after its first byte, has come to it. What says nothing at all may
 * have nothing to say, or hang: the kernel takes connections for either.
 */
const SILENCE_MS = 1000;

/** And so has, so long after that byte, what never is, for all that changes. */
const TABLE_MS = 10_000;

export class LinkHistory {
  readonly #now: () => number;
  /** Of the connection, or of the end of the last one. */
  #since: number;
  #isConnected = false;
  #isRefused = false;
  #hasTable = false;
  /** When the first and the last bytes of the connection have come. */
  #heard: { readonly first: number; readonly last: number } | undefined;
  /** Whether the server says itself how far its table is, or did before. */
  #tellsProgress = false;

  /** @param now Milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  connected(): void {
    this.#isConnected = true;
    this.#isRefused = false;
    this.#since = this.#now();
    this.#heard = undefined;
  }

  /** Something has come through it. */
  heard(): void {
    this.#lookAtTable();
    const last = this.#now();
    this.#heard = { first: this.#heard?.first ?? last, last };
  }

  /** What a server of ours says: whether all that it knows was heard. */
  progressed(hasAll: boolean): void {
    this.#tellsProgress = true;
    if (hasAll) this.#hasTable = true;
  }

  /** @param isFarewell Whether the other host has ended it: it is there */
  lost(isFarewell: boolean): void {
    this.#lookAtTable();
    this.#isConnected = false;
    this.#isRefused = isFarewell;
    this.#since = this.#now();
  }

  /** @param isRefused Whether the other host has said so */
  failed(isRefused: boolean): void {
    this.#isRefused = isRefused;
  }

  view(): LinkView {
    this.#lookAtTable();
    return {
      downFor: this.#isConnected ? undefined : this.#now() - this.#since,
      hasTable: this.#hasTable,
      isRefused: this.#isRefused,
    };
  }

  #lookAtTable(): void {
    if (!this.#isConnected || this.#tellsProgress || !this.#heard) return;
    const { first, last } = this.#heard;
    const now = this.#now();
    if (now - last >= SILENCE_MS || now - first >= TABLE_MS) {
      this.#hasTable = true;
    }
  }
}
