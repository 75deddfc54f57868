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
    if (heard !== this.#heard) this.#begin(heard);
    const now = elapsed();
    if (this.#isLooking || now < this.#nextAt || !isUnanswered()) return;
    this.#nextAt = now + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LONGEST_MS);
    this.#tries++;
    void this.#search();
  }

  #begin(heard: number | undefined): void {
    this.#heard = heard;
    this.#pause = this.#first;
    this.#nextAt = -Infinity;
    this.#tries = 0;
  }

  async #search(): Promise<void> {
    const { lookUp, lastHeard, present, move, stays, failed } = this.#context;
    const heard = this.#heard;
    this.#isLooking = true;
    try {
      const answer = await lookUp();
      const last = this.#last;
      this.#last = answer;
      // It may have been heard while the name server took its time.
      if (lastHeard() !== heard) return;
      const isLost = this.#tries >= PATIENCE;
      const next = nextEndpoint(present(), answer, last, isLost);
      if (next === undefined) stays();
      else move(next);
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
  if (isLost) return answer[0];
  const isNew = (endpoint: Endpoint) =>
    !last.some((other) => isSame(endpoint, other));
  return answer.find(isNew);
}

function isSame(endpoint: Endpoint, other: Endpoint | undefined): boolean {
  return other !== undefined &&
    formatEndpoint(endpoint) === formatEndpoint(other);
}
