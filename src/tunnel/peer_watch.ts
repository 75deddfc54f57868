// Comparison of looks at the peers: who has come, moved, fallen silent, or does
// not answer.

export interface PeerSighting {
  readonly mux: number;
  /** Where the peer is; undefined as long as nobody knows. */
  readonly remote: string | undefined;
  /** In ms of the clock of the looks; undefined for never. */
  readonly lastHeard: number | undefined;
  /** How many datagrams were sealed for it so far. */
  readonly sent?: number;
}

export type PeerChange =
  | "heard"
  | "again"
  | "moved"
  | "silent"
  /** Silent although datagrams are sent to it. */
  | "unanswered";

export interface PeerNews {
  readonly change: PeerChange;
  readonly mux: number;
  readonly remote: string | undefined;
  /** Where it was before. */
  readonly before: string | undefined;
  /** How long it was not heard, in ms; undefined if it never was before. */
  readonly silence: number | undefined;
  /** Whether something was sent to it meanwhile that it has not answered. */
  readonly wasUnanswered: boolean;
}

/** Made once for each connection: a look makes nothing new. */
interface KnownPeer {
  remote: string | undefined;
  lastHeard: number | undefined;
  sent: number;
  sentAt: number;
  /** Since when it has been sent something, and is not heard. */
  waitingSince: number | undefined;
  isSilent: boolean;
  isUnanswered: boolean;
}

const FEW = 1024;

export class PeerWatch {
  readonly #silentAfter: number;
  readonly #few: number;
  readonly #tell: (news: PeerNews) => void;
  readonly #known = new Map<number, KnownPeer>();
  /** By mux, in which look at all it was there last. */
  readonly #seen = new Uint32Array(0x10000);
  #looks = 0;

  /**
   * @param silentAfter Milliseconds without a datagram
   * @param few Connections of which everything is kept, also before they are
   * used
   */
  constructor(
    silentAfter: number,
    tell: (news: PeerNews) => void,
    few = FEW,
  ) {
    this.#few = few;
    this.#silentAfter = silentAfter;
    this.#tell = tell;
  }

  /**
   * Looks at all connections; those that are gone are forgotten.
   * @param sightings Each is read before the next is asked for
   */
  look(sightings: Iterable<PeerSighting>, now: number): void {
    const look = ++this.#looks;
    let count = 0;
    for (const sighting of sightings) {
      const { mux } = sighting;
      const isOfFew = ++count <= this.#few;
      // Most clients of a large server are nowhere near: nothing is kept of them,
      // and so where they were before they are heard.
      if (isOfFew || !isUntouched(sighting) || this.#known.has(mux)) {
        this.lookAt(sighting, now);
      }
      this.#seen[mux] = look;
    }
    for (const mux of this.#known.keys()) {
      if (this.#seen[mux] !== look) this.#known.delete(mux);
    }
  }

  /**
   * Says where the peer of a connection that is about to be made is looked for:
   * it may be heard before anybody looks.
   */
  expect(mux: number, remote: string | undefined): void {
    this.#knownOf({ mux, remote, lastHeard: undefined });
  }

  /** Looks at one connection, at once, since something has happened to it. */
  lookAt(sighting: PeerSighting, now: number): void {
    const { lastHeard } = sighting;
    const known = this.#knownOf(sighting);
    if (lastHeard !== undefined && lastHeard !== known.lastHeard) {
      this.#hear(known, sighting, lastHeard);
    } else this.#wait(known, sighting, now);
    if (this.#isLong(known.lastHeard, now) && !known.isSilent) {
      known.isSilent = true;
      this.#say("silent", known, sighting, now);
    }
    if (this.#isWaiting(known, now) && !known.isUnanswered) {
      known.isUnanswered = true;
      this.#say("unanswered", known, sighting, now);
    }
  }

  /** Whether the peer is sent something, and has not been heard for long. */
  isUnanswered(mux: number, now: number): boolean {
    const known = this.#known.get(mux);
    return known !== undefined && this.#isWaiting(known, now);
  }

  #wait(known: KnownPeer, { sent = 0 }: PeerSighting, now: number): void {
    if (sent !== known.sent) {
      known.sent = sent;
      known.sentAt = now;
      known.waitingSince ??= now;
    } else if (this.#isLong(known.sentAt, now)) known.waitingSince = undefined;
  }

  // What a host sends by itself as soon as a link is up has no answer, and ends.
  #isWaiting({ waitingSince, sentAt }: KnownPeer, now: number): boolean {
    return this.#isLong(waitingSince, now) &&
      now - sentAt < this.#silentAfter / 2;
  }

  #knownOf({ mux, remote, sent = 0 }: PeerSighting): KnownPeer {
    const found = this.#known.get(mux);
    if (found !== undefined) return found;
    const seen = this.#seen[mux] ?? 0;
    const wasUntouched = seen > 0 && seen >= this.#looks - 1;
    const known = {
      ...{ remote, sent: wasUntouched ? 0 : sent, sentAt: -Infinity },
      ...{ lastHeard: undefined, waitingSince: undefined },
      ...{ isSilent: false, isUnanswered: false },
    };
    this.#known.set(mux, known);
    return known;
  }

  #hear(known: KnownPeer, sighting: PeerSighting, lastHeard: number): void {
    const { remote, sent = 0 } = sighting;
    const isFirst = known.lastHeard === undefined;
    // It may have come and gone between two looks.
    if (isFirst) this.#say("heard", known, sighting, lastHeard);
    else if (known.isSilent) this.#say("again", known, sighting, lastHeard);
    if (!isFirst && known.remote !== remote) {
      this.#say("moved", known, sighting, lastHeard);
    }
    known.remote = remote;
    known.lastHeard = lastHeard;
    known.sent = sent;
    known.waitingSince = undefined;
    known.isSilent = false;
    known.isUnanswered = false;
  }

  #isLong(since: number | undefined, now: number): boolean {
    return since !== undefined && now - since >= this.#silentAfter;
  }

  #say(
    change: PeerChange,
    { remote: before, lastHeard, isUnanswered }: KnownPeer,
    { mux, remote }: PeerSighting,
    now: number,
  ): void {
    const silence = lastHeard === undefined ? undefined : now - lastHeard;
    const wasUnanswered = isUnanswered;
    this.#tell({ change, mux, remote, before, silence, wasUnanswered });
  }
}

function isUntouched({ lastHeard, sent = 0 }: PeerSighting): boolean {
  return lastHeard === undefined && sent === 0;
}
