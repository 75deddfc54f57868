// Events of peers as log lines: heard, moved, silent, heard again.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { FLUSH_MS } from "../log/rate_limited_log.ts";
import type { InterfaceName } from "../net/zone.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { PeerLog } from "../tunnel/peer_log.ts";
import { type PeerNews, PeerWatch } from "../tunnel/peer_watch.ts";
import { sightingOf, sightingsOf } from "../tunnel/sightings.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

const LOOK_MS = 1000;

/**
 * Hosts that are asked at a time whether a port is closed: each takes a socket,
 * and without an uplink thousands of peers fall silent at once.
 */
const MOST_ASKED = 8;

interface PeerEventsContext {
  readonly table: ConnectionTable;
  readonly interfaceName: InterfaceName;
  readonly logger: Logger;
  /** Whether the host of a peer answers that nobody listens at its port. */
  readonly isPortClosed: (mux: number) => Promise<boolean>;
}

type EventsWorld = Pick<World, "elapsed" | "every" | "steadyNow">;

export class PeerEvents implements Service {
  readonly name = "events of peers";
  readonly #context: PeerEventsContext;
  readonly #world: EventsWorld;
  readonly #log: PeerLog;
  readonly #watch: PeerWatch;
  #flushAt = 0;
  #asked = 0;

  constructor(
    { silentAfter }: Pick<AnytunOptions, "silentAfter">,
    context: PeerEventsContext,
    world: EventsWorld,
  ) {
    this.#context = context;
    this.#world = world;
    this.#log = new PeerLog(context.logger, world.elapsed);
    this.#watch = new PeerWatch(
      silentAfter * 1000,
      (news) => this.#tell(news),
    );
  }

  #tell(news: PeerNews): void {
    this.#log.tell(news);
    if (news.change === "unanswered") void this.#ask(news);
  }

  async #ask(news: PeerNews): Promise<void> {
    if (this.#asked >= MOST_ASKED) return;
    this.#asked++;
    try {
      const isClosed = await this.#context.isPortClosed(news.mux);
      if (isClosed) this.#log.refused(news);
    } catch {
      // Then nobody knows.
    } finally {
      this.#asked--;
    }
  }

  async run(stop: AbortSignal): Promise<void> {
    this.#look();
    await this.#world.every(LOOK_MS, () => this.#look(), stop);
    this.#look();
    this.#log.flush();
  }

  /** See {@link PeerWatch.expect}. */
  expect(mux: number, remote: string | undefined): void {
    this.#watch.expect(mux, remote);
  }

  /** Looks at one peer now, to which something has happened. */
  lookAt(mux: number): void {
    const { table, interfaceName } = this.#context;
    if (!table.exists(mux)) return;
    const now = this.#world.steadyNow();
    this.#watch.lookAt(sightingOf(table, mux, interfaceName), now);
  }

  /** Whether the peer is sent something, and has not been heard for long. */
  isUnanswered(mux: number): boolean {
    return this.#watch.isUnanswered(mux, this.#world.steadyNow());
  }

  #look(): void {
    const { table, interfaceName } = this.#context;
    const now = this.#world.steadyNow();
    this.#watch.look(sightingsOf(table, interfaceName), now);
    if (now < this.#flushAt) return;
    this.#flushAt = now + FLUSH_MS;
    this.#log.flush();
  }
}
