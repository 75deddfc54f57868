// Replay floors of a cluster: tells the other members what was accepted here,
// and has the data plane refuse what they have accepted.
//
// What is told is what was the highest number a second ago: datagrams of the same
// sender that go to different members, and arrive within a second of each other,
// are all taken. What a member took is a replay at all others two seconds later.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { AcceptedWatch } from "../state/accepted_watch.ts";
import {
  FLOORS,
  formatFloors,
  MOST_FLOORS,
  parseFloors,
  type ToldFloor,
} from "../sync/floor_message.ts";
import type { Speaker } from "../sync/following.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { ReplayFloors } from "../tunnel/replay_floors.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

const LOOK_MS = 1000;

/**
 * Messages with what is known, in a second: whoever has just come is to read them
 * beside all else, of which no more than a megabyte waits.
 */
const MOST_MESSAGES = 4;

/** After a late look the next one is not early: that told would be younger. */
const LEAST_MS = 900;

interface FloorExchangeParts {
  readonly floors: ReplayFloors;
  /** Of the numbers that are accepted here. */
  readonly words: Uint32Array;
  readonly table: Pick<ConnectionTable, "isLive">;
  /** To all members of ours that follow this one. */
  readonly say: (kind: string, body: string) => void;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

export class FloorExchange implements Service {
  readonly name = "replay floors";
  readonly #parts: FloorExchangeParts;
  readonly #world: Pick<World, "elapsed" | "every">;
  readonly #watch: AcceptedWatch;
  /** How many floors each server has told that were risen to. */
  readonly #heard = new Map<string, number>();
  #hasNewcomer = false;
  /** What newcomers have not been told yet. */
  #left: readonly ToldFloor[] = [];
  #lookedAt = -Infinity;

  constructor(
    parts: FloorExchangeParts,
    world: Pick<World, "elapsed" | "every">,
  ) {
    this.#parts = parts;
    this.#world = world;
    this.#watch = new AcceptedWatch(parts.words);
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#world.every(LOOK_MS, () => this.look(), stop);
  }

  /** A member has come, and is told all that is known here. */
  joined(): void {
    this.#hasNewcomer = true;
  }

  /** To be called once a second. */
  look(): void {
    const now = this.#world.elapsed();
    if (now - this.#lookedAt < LEAST_MS) return;
    this.#lookedAt = now;
    const { floors } = this.#parts;
    // One that comes again and again is to keep nobody from the end of the list.
    if (this.#hasNewcomer && this.#left.length === 0) {
      // What a member has forgotten over a restart others have been told.
      this.#left = [...this.#watch.all(), ...floors.list()];
      this.#hasNewcomer = false;
    }
    const changes = this.#live(this.#watch.look());
    for (const change of changes) floors.noteOwn(change, secondsOf(now));
    this.#say(changes);
    const most = MOST_MESSAGES * MOST_FLOORS;
    this.#say(this.#live(this.#left.slice(0, most)));
    this.#left = this.#left.slice(most);
  }

  #live(floors: readonly ToldFloor[]): readonly ToldFloor[] {
    return floors.filter(({ mux }) => this.#parts.table.isLive(mux));
  }

  #say(floors: readonly ToldFloor[]): void {
    for (let k = 0; k < floors.length; k += MOST_FLOORS) {
      const some = floors.slice(k, k + MOST_FLOORS);
      this.#parts.say(FLOORS, formatFloors(some));
    }
  }

  /**
   * What another member has accepted. Of connections that there are none of
   * nothing is kept.
   *
   * @throws {SyncError} if it cannot be read
   */
  said(from: Pick<Speaker, "name">, body: string): void {
    const { floors, table } = this.#parts;
    const now = secondsOf(this.#world.elapsed());
    const risen = new Set<number>();
    let heard = 0;
    for (const told of parseFloors(body)) {
      if (!table.isLive(told.mux)) continue;
      const outcome = floors.raise(told, now);
      if (outcome === "risen") {
        risen.add(told.mux);
        heard++;
      } else if (outcome === "too far ahead") this.#logRefusal(from, told);
    }
    floors.spread([...risen]);
    this.#heard.set(from.name, this.heardFrom(from.name) + heard);
  }

  /** How many floors this server has told that were new here. */
  heardFrom(name: string): number {
    return this.#heard.get(name) ?? 0;
  }

  #logRefusal({ name }: Pick<Speaker, "name">, told: ToldFloor): void {
    const { mux, senderId, highest } = told;
    this.#parts.limited.write("warning", "sync floor", () => ({
      text: `sync: ${name} says that it has accepted number ${highest} of ` +
        `sender ${senderId} of connection ${mux}: refused, since no sender ` +
        "counts so fast",
      fields: { mux },
    }), mux);
  }
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}
