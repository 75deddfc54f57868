// Search of a peer that does not answer: its name may stand for another address
// by now.
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";

/** The longest pause between two lookups, in ms. */
const LONGEST_MS = 600_000;

/**
 * After so many lookups in vain a peer that had moved by itself is looked for at
 * its name again. Before, it may be there, and have nothing to say.
 */
const PATIENCE = 3;

interface SearchContext {
  /** Whether it is sent something, and is not heard. */
  readonly isUnanswered: () => boolean;
  /** Whether it is sent keep-alives, which need no answer. */
  readonly isKeptAlive: () => boolean;
  /** When it was last heard, by any clock. */
  readonly lastHeard: () => number | undefined;
  /** Where it is sent what is sent. */
  readonly present: () => Endpoint | undefined;
  /** All addresses of its name. */
  readonly lookUp: () => Promise<readonly Endpoint[]>;
  readonly move: (to: Endpoint) => void;
  readonly stays: () => void;
  readonly failed: (error: unknown) => void;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed: () => number;
}

export class PeerSearch {
  readonly #context: SearchContext;
  readonly #first: number;
  #pause: number;
  #nextAt = -Infinity;
  #tries = 0;
  #heard: number | undefined;
  /** Since when it has not been heard. */
  #silentSince = -Infinity;
  #isLooking = false;
  #last: readonly Endpoint[];

  /**
   * @param pause Between the first two lookups, in ms
   * @param last What the name stood for before
   */
  constructor(
    pause: number,
    last: readonly Endpoint[],
    context: SearchContext,
  ) {
    this.#first = this.#pause = pause;
    this.#last = last;
    this.#context = context;
  }

  /** To be called about once a second. */
  look(): void {
    const { elapsed, isUnanswered, lastHeard } = this.#context;
    const heard = lastHeard();
    const now = elapsed();
    if (heard !== this.#heard) this.#begin(heard, now);
    if (this.#isLooking || now < this.#nextAt) return;
    const isCalled = isUnanswered();
    if (!isCalled && !this.#isQuiet(now)) return;
    this.#nextAt = now + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LONGEST_MS);
    if (isCalled) this.#tries++;
    void this.#search(isCalled);
  }

  // It may have nothing to say, or it may have gone without anybody noticing.
  #isQuiet(now: number): boolean {
    return this.#context.isKeptAlive() &&
      now - this.#silentSince >= this.#first;
  }

  #begin(heard: number | undefined, now: number): void {
    this.#heard = heard;
    this.#silentSince = now;
    this.#pause = this.#first;
    this.#nextAt = -Infinity;
    this.#tries = 0;
  }

  /** @param isCalled Whether an answer of the peer is waited for */
  async #search(isCalled: boolean): Promise<void> {
    const { lookUp, lastHeard, present, move, stays, failed } = this.#context;
    const heard = this.#heard;
    this.#isLooking = true;
    try {
      const answer = await lookUp();
      const last = this.#last;
      this.#last = answer;
      // It may have been heard while the name server took its time.
      if (lastHeard() !== heard) return;
      const next = isCalled
        ? nextEndpoint(present(), answer, last, this.#tries >= PATIENCE)
        : movedName(present(), answer, last);
      if (next !== undefined) move(next);
      else if (isCalled) stays();
    } catch (error) {
      failed(error);
    } finally {
      this.#isLooking = false;
    }
  }
}

/**
 * Where to try next: of several addresses the one behind the present one, and
 * after a move by the peer itself whatever its name did not stand for before.
 *
 * @param last What the name stood for before
 * @param isLost Whether a peer that has moved by itself is given up there
 * @returns undefined to stay
 */
export function nextEndpoint(
  present: Endpoint | undefined,
  answer: readonly Endpoint[],
  last: readonly Endpoint[],
  isLost: boolean,
): Endpoint | undefined {
  const at = answer.findIndex((endpoint) => isSame(endpoint, present));
  if (at >= 0) {
    return answer.length === 1 ? undefined : answer[(at + 1) % answer.length];
  }
  return isLost ? answer[0] : newIn(answer, last);
}

/**
 * Where a peer is by its name that may be where it was, and have nothing to say.
 *
 * @param last What the name stood for before
 * @returns undefined to stay
 */
export function movedName(
  present: Endpoint | undefined,
  answer: readonly Endpoint[],
  last: readonly Endpoint[],
): Endpoint | undefined {
  const isThere = answer.some((endpoint) => isSame(endpoint, present));
  return isThere ? undefined : newIn(answer, last);
}

function newIn(
  answer: readonly Endpoint[],
  last: readonly Endpoint[],
): Endpoint | undefined {
  return answer.find((endpoint) =>
    !last.some((other) => isSame(endpoint, other))
  );
}

function isSame(endpoint: Endpoint, other: Endpoint | undefined): boolean {
  return other !== undefined &&
    formatEndpoint(endpoint) === formatEndpoint(other);
}
