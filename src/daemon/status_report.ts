// Report of a daemon: what its services know, as one snapshot.
import type { AnytunOptions } from "../config/anytun.ts";
import { PROGRAM_VERSION } from "../config/version.ts";
import type { Fitness } from "../health/state_machine.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { InterfaceName } from "../net/zone.ts";
import type { Route } from "../route/route.ts";
import {
  type AnnouncementReport,
  type ClusterReport,
  type ConnectionReport,
  type Counts,
  type DaemonState,
  type Health,
  type HealthReport,
  type Report,
  REPORT_FORMAT,
  type ToldReport,
} from "../status/report.ts";
import type { StatusSource } from "../status/site.ts";
import { doInSlices, type Pause } from "../status/slices.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import {
  CONNECTION_COUNTER_INFOS,
  CONNECTION_COUNTERS,
  namedCounts,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";
import { remoteOf } from "../tunnel/sightings.ts";
import type { Phase } from "./lifecycle.ts";
import type { World } from "./world.ts";

interface StatusParts {
  readonly options: Pick<AnytunOptions, "mux" | "name">;
  readonly table: Pick<
    ConnectionTable,
    "counters" | "endpoints" | "lastHeard" | "liveMuxes"
  >;
  readonly interfaceName: InterfaceName;
  /** As far as they are open. */
  readonly ends: () => Pick<Report, "device" | "plane" | "listening">;
  /** Whether everything that carries packets answers. */
  readonly answers: () => Promise<boolean>;
  /** `since` is by `elapsed` of the world. */
  readonly fitness: () => Fitness;
  /** By the indexes of `PlaneCounter`. */
  readonly planeCounters: () => Float64Array;
  /** The own peer, as people have named it. */
  readonly peer: () => string | undefined;
  readonly routes: () => readonly Route[];
  readonly cluster: () => ClusterReport | undefined;
  readonly announcement: () => AnnouncementReport | undefined;
  /** Of the own connection, if its keys come from a chain. */
  readonly keyEpoch: () => number | undefined;
}

type StatusWorld = Pick<World, "delay" | "elapsed" | "now" | "pid">;

/** Of routes, and of counters to be added. */
const SLICES = { routes: 10_000, sums: 10_000 };

/** What a clock that is only adjusted does not differ by. */
const CLOCK_STEP_MS = 2000;

export class StatusReport implements StatusSource {
  readonly #parts: StatusParts;
  readonly #world: StatusWorld;
  /** By the clock that never goes back. */
  readonly #began: number;
  readonly #pause: Pause;
  /** The same in ms since 1970. */
  #started: number;
  /** What that clock began at, in ms since 1970. */
  readonly #origin: number;
  /** All that were ever seen: what they counted stays in the sums. */
  readonly #seen = new Set<number>();
  #state: DaemonState = "starting";

  constructor(
    parts: StatusParts,
    world: StatusWorld,
  ) {
    this.#parts = parts;
    this.#world = world;
    this.#began = world.elapsed();
    this.#pause = () => world.delay(0);
    this.#started = world.now();
    this.#origin = this.#started - this.#began;
  }

  changed({ kind }: Phase): void {
    this.#state = STATES[kind];
  }

  async health(): Promise<Health> {
    const isCarrying = await this.#parts.answers();
    const cluster = this.#parts.cluster() ?? null;
    return { isCarrying, state: this.#state, cluster };
  }

  fitness(): HealthReport {
    const { state, reasons, since } = this.#parts.fitness();
    const ago = this.#world.elapsed() - since;
    return { state, reasons, since: Math.round(this.#world.now() - ago) };
  }

  /** Connections come and go while those that there were are told of. */
  async report(limit: number): Promise<ToldReport> {
    const { ends, options, planeCounters, table } = this.#parts;
    const { now, pid } = this.#world;
    const health = await this.health();
    const time = now();
    const muxes = table.liveMuxes();
    for (const mux of muxes) this.#seen.add(mux);
    return {
      format: REPORT_FORMAT,
      name: options.name,
      version: PROGRAM_VERSION,
      pid,
      time,
      started: this.#startedAt(time),
      ...health,
      health: this.fitness(),
      announcement: this.#parts.announcement() ?? null,
      ...ends(),
      connections: await this.#connections(muxes.slice(0, limit), time),
      connectionCount: muxes.length,
      totals: () => this.#totals(),
      counters: namedCounts(PLANE_COUNTER_INFOS, planeCounters()),
    };
  }

  /** Each is looked at when it is told. */
  async #connections(
    muxes: readonly number[],
    time: number,
  ): Promise<Iterable<ConnectionReport>> {
    // Threads have clocks of their own that never go back, and this one may have
    // been set: what counts is how long ago it was.
    const steady = this.#origin + this.#world.elapsed();
    const routes = await this.#routesTo(muxes);
    const rows = (function* (this: StatusReport) {
      for (const mux of muxes) {
        yield this.#connection(mux, routes.get(mux) ?? [], time, steady);
      }
    }).bind(this);
    // It may serve several who ask.
    return { [Symbol.iterator]: rows };
  }

  async #routesTo(
    muxes: readonly number[],
  ): Promise<ReadonlyMap<number, readonly Route[]>> {
    const byMux = new Map(muxes.map((mux): [number, Route[]] => [mux, []]));
    if (muxes.length === 0) return byMux;
    const routes = this.#parts.routes();
    await doInSlices(routes, SLICES.routes, this.#pause, (route) => {
      byMux.get(route.mux)?.push(route);
    });
    return byMux;
  }

  #connection(
    mux: number,
    routes: readonly Route[],
    time: number,
    steady: number,
  ): ConnectionReport {
    const { interfaceName, keyEpoch, options, peer, table } = this.#parts;
    const isOwn = mux === options.mux;
    const heard = table.lastHeard(mux);
    return {
      mux,
      peer: (isOwn ? peer() : undefined) ?? null,
      endpoint: remoteOf(table, mux, interfaceName) ?? null,
      lastHeard: heard === undefined
        ? null
        : Math.round(time - Math.max(0, steady - heard)),
      pathMtu: table.endpoints.pathMtu(mux) || null,
      keyEpoch: (isOwn ? keyEpoch() : undefined) ?? null,
      routes: routes.flatMap(prefixText),
      counters: namedCounts(
        CONNECTION_COUNTER_INFOS,
        table.counters.sum(mux),
      ),
    };
  }

  /** Moves only with the clock of the host, as when that is set after a boot. */
  #startedAt(time: number): number {
    const started = time - (this.#world.elapsed() - this.#began);
    const isSet = Math.abs(started - this.#started) > CLOCK_STEP_MS;
    if (isSet) this.#started = Math.round(started);
    return this.#started;
  }

  async #totals(): Promise<Counts> {
    const { counters } = this.#parts.table;
    const sums = new Float64Array(CONNECTION_COUNTERS);
    await doInSlices(this.#seen, SLICES.sums, this.#pause, (mux) => {
      counters.addTo(sums, mux);
    });
    return namedCounts(CONNECTION_COUNTER_INFOS, sums);
  }
}

const STATES: Readonly<Record<Phase["kind"], DaemonState>> = {
  starting: "starting",
  ready: "running",
  reloading: "reloading",
  draining: "draining",
  stopping: "draining",
  failed: "draining",
};

function prefixText({ network, prefixLength: length }: Route): string[] {
  return network.family === "ethernet"
    ? []
    : [formatPrefix({ address: network, length })];
}
