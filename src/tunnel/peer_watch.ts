// Comparison of looks at the peers: who has come, moved and fallen silent.

export interface PeerSighting {
  readonly mux: number;
  /** Where the peer is; undefined as long as nobody knows. */
  readonly remote: string | undefined;
  /** In ms of the clock of the looks; undefined for never. */
  readonly lastHeard: number | undefined;
}

type PeerChange = "heard" | "moved" | "silent";

interface KnownPeer {
  readonly remote: string | undefined;
  readonly lastHeard: number;
  readonly isSilent: boolean;
}

export class PeerWatch {
  readonly #silentAfter: number;
  readonly #tell: (change: PeerChange, sighting: PeerSighting) => void;
  readonly #known = new Map<number, KnownPeer>();

  /** @param silentAfter Milliseconds without a datagram */
  constructor(
    silentAfter: number,
    tell: (change: PeerChange, sighting: PeerSighting) => void,
  ) {
    this.#silentAfter = silentAfter;
    this.#tell = tell;
  }

  /** Looks at all connections; those that are gone are forgotten. */
  look(sightings: readonly PeerSighting[], now: number): void {
    const muxes = new Set<number>();
    for (const sighting of sightings) {
      muxes.add(sighting.mux);
      this.lookAt(sighting, now);
    }
    for (const mux of this.#known.keys()) {
      if (!muxes.has(mux)) this.#known.delete(mux);
    }
  }

  /** Looks at one connection, at once, since something has happened to it. */
  lookAt(sighting: PeerSighting, now: number): void {
    const { mux, remote, lastHeard } = sighting;
    if (lastHeard === undefined) return;
    const isSilent = now - lastHeard >= this.#silentAfter;
    const known = this.#known.get(mux);
    this.#known.set(mux, { remote, lastHeard, isSilent });
    // It may have come and gone between two looks.
    const wasSilent = known?.isSilent === true &&
      known.lastHeard === lastHeard;
    if (known === undefined || known.isSilent && !wasSilent) {
      this.#tell("heard", sighting);
    }
    if (known !== undefined && known.remote !== remote) {
      this.#tell("moved", sighting);
    }
    if (isSilent && !wasSilent) this.#tell("silent", sighting);
  }
}
