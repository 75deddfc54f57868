// Whole tables of those that are heard, for as long as somebody is not.
//
// To who is up to date a member repeats nothing of what it has learnt from
// others, as all hear each other. Where that is not so, a client that one member
// has heard of is told of to nobody whom its origin cannot reach. So whoever
// lacks a server asks the others for all that they know, one after the other.
import type { Logger } from "../log/logger.ts";
import type { SyncClient } from "./client.ts";

/** How often to look whether it is time, in ms. */
export const LOOK_MS = 30_000;
/** As long may a server be away without anybody being asked, in ms. */
const AWAY_MS = 60_000;
/** Between two questions: a whole table is megabytes with many clients. */
const PAUSE_MS = 5 * 60_000;

type Client = Pick<
  SyncClient,
  "askForAll" | "isExtended" | "isItself" | "link" | "name"
>;

export class WholeTables {
  readonly #clients: readonly Client[];
  readonly #log: Pick<Logger, "info">;
  /** Milliseconds of a monotonic clock. */
  readonly #elapsed: () => number;
  #asked: { readonly client: Client; readonly at: number } | undefined;

  constructor(
    clients: readonly Client[],
    log: Pick<Logger, "info">,
    elapsed: () => number,
  ) {
    this.#clients = clients;
    this.#log = log;
    this.#elapsed = elapsed;
  }

  look(): void {
    const now = this.#elapsed();
    if (this.#asked && now - this.#asked.at < PAUSE_MS) return;
    const away = this.#clients.find(({ link: { downFor = 0 } }) =>
      downFor >= AWAY_MS
    );
    const client = away && this.#next();
    if (away === undefined || client === undefined) return;
    this.#asked = { client, at: now };
    this.#log.info(
      `sync: asking ${client.name} for all that it knows, since ${away.name} ` +
        "is not heard",
    );
    client.askForAll();
  }

  /** Another one of ours, which says when it has told all. */
  #next(): Client | undefined {
    const clients = this.#clients;
    const { client: last } = this.#asked ?? {};
    const from = last === undefined ? 0 : clients.indexOf(last) + 1;
    return [...clients.slice(from), ...clients.slice(0, from)]
      .find(({ isExtended, isItself }) => isExtended && !isItself);
  }
}
