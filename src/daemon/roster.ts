// Roster of a cluster: what this daemon and the members that it follows say of
// themselves, and which clients each of them serves.
import type { HealthReport } from "../status/report.ts";
import {
  type MemberReport,
  MEMBERS_FORMAT,
  type MembersReport,
  type ServedReport,
} from "../status/members_report.ts";
import type { Speaker } from "../sync/following.ts";
import {
  formatFacts,
  formatServing,
  MEMBER,
  type MemberFacts,
  MOST_SERVING,
  parseFacts,
  parseServing,
  SERVING,
  type Serving,
} from "../sync/view_message.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { Service } from "./lifecycle.ts";
import { ServedClients } from "./served_clients.ts";
import type { FollowedServer } from "./sync_member.ts";
import type { World } from "./world.ts";

const LOOK_MS = 2000;

/** What was lost on the way, as for who reads too slowly, is made good. */
const REPEAT_MS = 300_000;

interface RosterParts {
  readonly name: string;
  readonly version: string;
  readonly table: Pick<ConnectionTable, "isLive" | "lastHeard" | "liveMuxes">;
  readonly endpointOf: (mux: number) => string | undefined;
  /** `since` is by `elapsed` of the world. */
  readonly health: () => Pick<HealthReport, "state" | "since">;
  readonly inStep: () => boolean;
  readonly servers: () => readonly FollowedServer[];
  /** How many replay floors one of them has told. */
  readonly floorsOf: (server: string) => number;
  /** To all members of ours that follow this one. */
  readonly say: (kind: string, body: string) => void;
}

/** What another member has said. */
class Other {
  readonly instance: string;
  facts: MemberFacts | undefined;
  readonly serving = new Map<number, number>();

  constructor(instance: string) {
    this.instance = instance;
  }
}

type RosterWorld = Pick<World, "elapsed" | "every" | "now" | "steadyNow">;

export class Roster implements Service {
  readonly name = "cluster view";
  readonly #parts: RosterParts;
  readonly #world: RosterWorld;
  readonly #own: ServedClients;
  /** By where they are followed. */
  readonly #others = new Map<string, Other>();
  #hasNewcomer = false;
  #told = "";
  /** When the health has last changed, by both clocks. */
  #changed = { elapsed: -1, time: 0 };
  #toldAllAt = -Infinity;

  constructor(parts: RosterParts, world: RosterWorld) {
    this.#parts = parts;
    this.#world = world;
    this.#own = new ServedClients(parts.table, world);
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#world.every(LOOK_MS, () => this.look(), stop);
  }

  /** A member has come, and is told all. */
  joined(): void {
    this.#hasNewcomer = true;
  }

  /** To be called every other second. */
  look(): void {
    const now = this.#world.elapsed();
    const changes = this.#own.look();
    const isWhole = this.#hasNewcomer || now - this.#toldAllAt >= REPEAT_MS;
    this.#hasNewcomer = false;
    this.#tellFacts(isWhole);
    if (isWhole) this.#toldAllAt = now;
    this.#tellServing(isWhole ? this.#own.list() : changes, isWhole);
  }

  /** @throws {SyncError} if it cannot be read */
  saidFacts(from: Speaker, body: string): void {
    this.#otherOf(from).facts = parseFacts(body);
  }

  /** @throws {SyncError} if it cannot be read */
  saidServing(from: Speaker, body: string): void {
    const { isWhole, clients } = parseServing(body);
    const { serving } = this.#otherOf(from);
    if (isWhole) serving.clear();
    for (const { mux, since } of clients) {
      if (since === 0) serving.delete(mux);
      else if (this.#parts.table.isLive(mux)) {
        serving.set(mux, since);
        this.#own.noteRival(mux, since);
      }
    }
  }

  /** Of how much this daemon knows. */
  snapshot(): MembersReport {
    return {
      format: MEMBERS_FORMAT,
      name: this.#parts.name,
      time: this.#world.now(),
      members: this.#members(),
      clients: this.#clients(),
    };
  }

  #otherOf({ name, instance }: Speaker): Other {
    const known = this.#others.get(name);
    if (known !== undefined && known.instance === instance) return known;
    const other = new Other(instance);
    this.#others.set(name, other);
    return other;
  }

  #tellFacts(isDue: boolean): void {
    const text = formatFacts(this.#facts());
    if (!isDue && text === this.#told) return;
    this.#told = text;
    this.#parts.say(MEMBER, text);
  }

  #tellServing(clients: readonly Serving[], isWhole: boolean): void {
    const chunks = Math.ceil(clients.length / MOST_SERVING);
    for (let k = 0; k < Math.max(isWhole ? 1 : 0, chunks); k++) {
      const list = {
        isWhole: isWhole && k === 0,
        clients: clients.slice(k * MOST_SERVING, (k + 1) * MOST_SERVING),
      };
      this.#parts.say(SERVING, formatServing(list));
    }
  }

  #facts(): MemberFacts {
    const { health, inStep, name, version } = this.#parts;
    const { state, since } = health();
    if (since !== this.#changed.elapsed) {
      const ago = this.#world.elapsed() - since;
      const time = Math.max(0, Math.round(this.#world.now() - ago));
      this.#changed = { elapsed: since, time };
    }
    return {
      ...{ name, version, since: this.#changed.time },
      health: state,
      inStep: inStep(),
    };
  }

  #members(): MemberReport[] {
    const self: MemberReport = {
      ...this.#facts(),
      address: null,
      kind: "self",
      isConnected: true,
      clients: this.#own.count,
      floors: 0,
    };
    const { servers } = this.#parts;
    return [self, ...servers().map((server) => this.#memberOf(server))];
  }

  #memberOf(
    { server, isConnected, isExtended }: FollowedServer,
  ): MemberReport {
    const other = this.#others.get(server);
    const { name, version, health, inStep, since } = other?.facts ?? {};
    const silent = isExtended ? "silent" : "original";
    return {
      address: server,
      kind: other?.facts ? "member" : isConnected ? silent : "unknown",
      isConnected,
      name: name ?? null,
      version: version ?? null,
      health: health ?? null,
      inStep: inStep ?? null,
      since: since ?? null,
      clients: other?.serving.size ?? 0,
      floors: this.#parts.floorsOf(server),
    };
  }

  /** Whoever began to hear a client last has it now. */
  #clients(): ServedReport[] {
    const newest = new Map<number, { member: string | null; since: number }>();
    const lists: [string | null, Iterable<Serving>][] = [
      [null, this.#own.list()],
      ...[...this.#others].map(([member, { serving }]) =>
        [
          member,
          serving.entries().map(([mux, since]) => ({ mux, since })),
        ] satisfies [string, Iterable<Serving>]
      ),
    ];
    for (const [member, served] of lists) {
      for (const { mux, since } of served) {
        const before = newest.get(mux);
        if (before === undefined || since > before.since) {
          newest.set(mux, { member, since });
        }
      }
    }
    return [...newest].sort(([a], [b]) => a - b)
      .map(([mux, { member, since }]) => ({
        ...{ mux, member },
        endpoint: this.#parts.endpointOf(mux) ?? null,
        since: since * 1000,
      }));
  }
}
