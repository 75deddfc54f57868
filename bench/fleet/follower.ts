// Whoever follows a control daemon as members do, and notes what it hears.
import { delay } from "../../src/net/delay.ts";
import { SyncClient } from "../../src/sync/client.ts";
import { instanceId, type Subject } from "../../src/sync/extension.ts";
import { Following } from "../../src/sync/following.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { connectPlain } from "../../lab/plain_sync.ts";
import { now } from "./clock.ts";

type Kind = "put" | "gone";

const HOST = "127.0.0.1";
/** For a whole table. */
const ANSWER_MS = 60_000;

export class Follower {
  /** Muxes that there are now. */
  readonly connections = new Set<number>();
  /** Muxes of which it has heard since somebody has cleared it. */
  readonly changed = new Set<number>();
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #stop = new AbortController();

  /** @param port Of a control daemon, at a loopback address */
  constructor(port: number) {
    const self = instanceId((words) => void crypto.getRandomValues(words));
    const following = new Following("control daemon", self, {
      put: (record) => this.#put(record),
      holds: () => true,
      remove: (subject) => this.#remove(subject),
      ...{ supersede: quiet, revive: quiet, sweep: quiet, said: quiet },
    });
    void clientOf(port, (record) => this.#put(record), following)
      .run(this.#stop.signal);
  }

  /** @returns When it hears of it */
  next(kind: Kind, mux: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(`${kind} ${mux}`, resolve);
    return promise;
  }

  close(): void {
    this.#stop.abort();
  }

  #put(record: SyncRecord): void {
    if (record.command !== "connection") return;
    this.connections.add(record.mux);
    this.changed.add(record.mux);
    this.#tell("put", record.mux);
  }

  #remove(subject: Subject): void {
    if (subject.command !== "connection") return;
    this.connections.delete(subject.mux);
    this.#tell("gone", subject.mux);
  }

  #tell(kind: Kind, mux: number): void {
    const name = `${kind} ${mux}`;
    this.#waiting.get(name)?.(now());
    this.#waiting.delete(name);
  }
}

/**
 * How many connections a member has, as it tells originals.
 * @param wanted Where it is enough
 */
export async function connectionsOf(
  port: number,
  wanted: number,
): Promise<number> {
  const muxes = new Set<number>();
  const stop = new AbortController();
  const client = clientOf(port, (record) => {
    if (record.command === "connection") muxes.add(record.mux);
  });
  const over = client.run(stop.signal);
  const end = now() + ANSWER_MS;
  while (muxes.size < wanted && now() < end) await delay(50);
  stop.abort();
  await over;
  return muxes.size;
}

function clientOf(
  port: number,
  apply: (record: SyncRecord) => void,
  following?: Following,
): SyncClient {
  return new SyncClient({
    server: { host: HOST, port },
    apply,
    ...(following && { following }),
    connect: connectPlain,
    lookup: () => Promise.resolve([]),
    ...{ delay, now },
    log: {
      ...{ error: quiet, warning: quiet, notice: quiet },
      ...{ info: quiet, debug: quiet },
    },
  });
}

function quiet(): void {}
