// Routes to the device in the kernel's table: those of --route and those that
// other members tell of (--routes-install).
import { CAP } from "../../ffi/flags.ts";
import { SystemError } from "../../ffi/errno.ts";
import type {
  DeviceRoutes,
  KernelRoute,
} from "../../ffi/tuntap/device_routes.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatAddress, type IpAddress } from "../net/address.ts";
import { CollectedWork } from "../net/collected_work.ts";
import type { Every } from "../net/every.ts";
import { formatPrefix, type Prefix, withoutHostBits } from "../net/prefix.ts";
import type { Delay } from "../net/delay.ts";
import type { Route } from "../route/route.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import { InstalledRoutes } from "./installed_routes.ts";
import { KnownRoutes } from "./known_routes.ts";
import type { Service } from "./lifecycle.ts";
import { refusalOf } from "./permitted_route.ts";

/** Others tell of routes by the thousand. */
const COLLECT_MS = 20;
/** How often to try those again that the kernel did not take, and two others. */
const RETRY_MS = 2000;
/** Of so many that have changed, and are not looked at yet, no list is kept. */
const MANY = 10_000;

const DOWN = "the device is down";

type Options = NonNullable<AnytunOptions["kernelRoutes"]>;

interface KernelRoutesContext {
  readonly device: () => Pick<DeviceHandle, "name" | "openRoutes">;
  /** All that there are. */
  readonly routes: () => readonly Route[];
  /** The one of them that counts for a network. */
  readonly routeTo: (route: Route) => Route | undefined;
  /** Whose datagrams no route must lead astray. */
  readonly ownPeer: () => IpAddress | undefined;
  /** The same of a connection, for its routes. */
  readonly peerOf: (mux: number) => IpAddress | undefined;
  readonly delay: Delay;
  readonly elapsed: () => number;
  readonly every: Every;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

/** What no network of others may hold, whoever tells of it. */
interface Place {
  readonly neighbours: readonly Prefix[];
  readonly ownPeer: IpAddress | undefined;
}

export class KernelRoutes
  implements Service<Pick<AnytunOptions, "kernelRoutes">> {
  readonly name = "kernel routes";
  readonly live = ["routesAccept"];
  #options: Options;
  readonly #context: KernelRoutesContext;
  #table: DeviceRoutes | undefined;
  readonly #known = new KnownRoutes();
  readonly #installed = new InstalledRoutes();
  /** What was said of routes that are not there; each once. */
  readonly #told = new Map<string, string>();
  readonly #changes: CollectedWork;
  /** Whether all are to be looked at, or those alone that have changed. */
  #isWhole = true;
  #changed: Route[] = [];
  /** Muxes whose peer is elsewhere. */
  readonly #moved = new Set<number>();
  /** What the kernel did not take, by its text. */
  readonly #pending = new Set<string>();
  /** Whether its time has come: a change of others is no reason. */
  #isToRetry = false;
  /** Whether some are not there that were. */
  #isLost = false;
  /** Where all were looked at last, as text. */
  #place = "";

  constructor(options: Options, context: KernelRoutesContext) {
    this.#options = options;
    this.#context = context;
    const update = () => this.#tryUpdate();
    this.#changes = new CollectedWork(COLLECT_MS, update, context);
  }

  /** Changes need it as long as there are any, and so does the end. */
  capabilities(): readonly number[] {
    return [CAP.NET_ADMIN];
  }

  /**
   * What a run before has left at a device that stays is ours.
   * @throws if the kernel refuses to change routes
   */
  start(): void {
    this.#table = this.#context.device().openRoutes();
    this.#look();
    this.#update();
  }

  /** A route has come or gone. */
  routeChanged(route: Route): void {
    if (this.#table === undefined) return;
    if (!this.#isWhole) this.#changed.push(route);
    if (this.#changed.length > MANY) this.#lookAtAll();
    this.changed();
  }

  /** The peer of a connection is elsewhere, as others say. */
  peerMoved(mux: number): void {
    this.#moved.add(mux);
    this.changed();
  }

  /** The own peer may be elsewhere. */
  changed(): void {
    if (this.#table !== undefined) this.#changes.ask();
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#context.every(RETRY_MS, () => {
      this.#isLost ||= this.#hasLost();
      this.#isToRetry = this.#pending.size > 0;
      if (this.#isLost || this.#isWhole || this.#isToRetry) this.changed();
    }, stop);
  }

  /**
   * The kernel drops all of a device that is set down, however shortly, and those
   * of IPv4 with its last address. So one of each family tells of the others. Only
   * trying is certain: who looks at the device sees no moment between two looks.
   */
  #hasLost(): boolean {
    const table = this.#table;
    return table !== undefined &&
      this.#installed.nextOnes().some((route) => isLost(table, route));
  }

  /** An answer of the kernel that is not understood ends no daemon. */
  #tryUpdate(): void {
    try {
      if (this.#isLost) this.#lookForLost();
      this.#update();
    } catch (error) {
      this.#lookAtAll();
      this.#context.limited.write(
        "error",
        "kernel routes",
        () => `Cannot change kernel routes: ${reasonOf(error)}`,
      );
    }
  }

  #lookForLost(): void {
    this.#look();
    this.#context.limited.write(
      "warning",
      "kernel routes lost",
      () =>
        "Kernel routes (--routes-install) were lost, as when the device is " +
        "set down: they are put back",
    );
  }

  /** Some may have been lost. The mark may be another. */
  reload({ kernelRoutes }: Pick<AnytunOptions, "kernelRoutes">): void {
    this.#options = kernelRoutes ?? this.#options;
    this.#look();
    this.#update();
  }

  report(): readonly string[] {
    const routes = [...this.#installed.texts()];
    return [`kernel routes: ${routes.join(", ") || "none"}`];
  }

  close(): void {
    const table = this.#table;
    this.#table = undefined;
    for (const [text, route] of this.#installed.entries()) {
      try {
        table?.remove(route);
      } catch (error) {
        this.#context.logger.error(
          `Cannot take the route ${text} out again: ${reasonOf(error)}`,
        );
      }
    }
    this.#isLost = false;
    this.#installed.clear();
    table?.[Symbol.dispose]();
  }

  #look(): void {
    this.#lookAtAll();
    // First: if that fails, what was known to be ours is still ours.
    const found = this.#table?.list() ?? [];
    this.#isLost = false;
    this.#installed.clear();
    for (const route of found) this.#installed.set(textOf(route), route);
  }

  #lookAtAll(): void {
    this.#isWhole = true;
    this.#changed = [];
    this.#moved.clear();
    this.#pending.clear();
  }

  #update(): void {
    const table = this.#table;
    if (table === undefined) return;
    const place = this.#presentPlace(table);
    const texts = this.#isWhole ? this.#learnAll() : this.#learnChanged();
    this.#change(table, texts, place);
    this.#isWhole = false;
  }

  // They come and go; whoever asks for the kernel's routes asks anew.
  #presentPlace(table: DeviceRoutes): Place {
    const place = {
      neighbours: neighboursOf(table),
      ownPeer: this.#context.ownPeer(),
    };
    const text = [
      ...place.neighbours.map(formatPrefix),
      place.ownPeer && formatAddress(place.ownPeer),
    ].join();
    if (text !== this.#place) this.#lookAtAll();
    this.#place = text;
    return place;
  }

  #learnAll(): ReadonlySet<string> {
    this.#known.clear();
    for (const route of this.#context.routes()) this.#learn(route);
    const texts = new Set([...this.#known.texts(), ...this.#installed.texts()]);
    for (const text of this.#told.keys()) {
      if (!texts.has(text)) this.#told.delete(text);
    }
    return texts;
  }

  #learnChanged(): ReadonlySet<string> {
    const texts = new Set(this.#isToRetry ? this.#pending : []);
    this.#isToRetry = false;
    for (const route of this.#changed) {
      const text = this.#learn(route);
      if (text !== undefined) texts.add(text);
    }
    this.#changed = [];
    for (const mux of this.#moved) {
      for (const text of this.#known.of(mux)) texts.add(text);
    }
    this.#moved.clear();
    return texts;
  }

  /** @returns undefined if it is none for the kernel */
  #learn(changed: Route): string | undefined {
    const { network, prefixLength } = changed;
    if (network.family === "ethernet") return undefined;
    const length = Math.min(prefixLength, network.bytes.length * 8);
    const bytes = withoutHostBits(network.bytes, length);
    const prefix = { address: { family: network.family, bytes }, length };
    const route = { network: bytes, length, metric: this.#options.metric };
    const text = textOf(route);
    const mux = this.#context.routeTo(changed)?.mux;
    if (mux === undefined) this.#known.delete(text);
    else this.#known.put(text, { route, prefix, mux });
    return text;
  }

  #change(table: DeviceRoutes, texts: Iterable<string>, place: Place): void {
    const come: [string, KernelRoute][] = [];
    const gone: [string, KernelRoute][] = [];
    for (const text of texts) {
      this.#pending.delete(text);
      const wanted = this.#wanted(text, place);
      const installed = this.#installed.get(text);
      if (wanted !== undefined && installed === undefined) {
        come.push([text, wanted]);
      } else if (wanted === undefined && installed !== undefined) {
        gone.push([text, installed]);
      }
    }
    // First what comes: a route that is replaced by another one leaves no gap.
    let isUp = true;
    for (const [text, route] of come) {
      if (isUp) isUp = this.#add(table, text, route);
      else this.#refused(text, DOWN);
    }
    for (const [text, route] of gone) this.#remove(table, text, route);
  }

  #wanted(
    text: string,
    { neighbours, ownPeer }: Place,
  ): KernelRoute | undefined {
    const known = this.#known.get(text);
    if (known === undefined) {
      this.#told.delete(text);
      return undefined;
    }
    const { route, prefix, mux } = known;
    const peers = [ownPeer, this.#context.peerOf(mux)]
      .filter((address) => address !== undefined);
    const refusal = refusalOf(prefix, { neighbours, peers }, this.#options);
    if (refusal === undefined) return route;
    this.#tell(text, refusal);
    return undefined;
  }

  /** @returns false while the device is down, which takes no other one either */
  #add(table: DeviceRoutes, text: string, route: KernelRoute): boolean {
    try {
      if (table.add(route)) {
        this.#installed.set(text, route);
        this.#told.delete(text);
        this.#say(() => `kernel route ${text} is there`);
      } else this.#refused(text, "there is a route of somebody else already");
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const isDown = error.code === "ENETDOWN";
      this.#refused(text, isDown ? DOWN : reasonOf(error));
      return !isDown;
    }
  }

  #remove(table: DeviceRoutes, text: string, route: KernelRoute): void {
    try {
      table.remove(route);
      this.#installed.delete(text);
      this.#say(() => `kernel route ${text} is gone`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#refused(text, reasonOf(error));
    }
  }

  #refused(text: string, why: string): void {
    this.#pending.add(text);
    this.#tell(text, why);
  }

  #say(line: () => string): void {
    this.#context.limited.write("info", "kernel route", line);
  }

  #tell(text: string, why: string): void {
    if (this.#told.get(text) === why) return;
    this.#told.set(text, why);
    this.#context.limited.write(
      "warning",
      "kernel route refused",
      () => `Cannot change the kernel route ${text} (--routes-install): ${why}`,
    );
  }
}

/** With the device down, and IPv6 disabled, the kernel has dropped them. */
const LOST_BY: readonly string[] = ["ENETDOWN", "EACCES"];

/** One that was lost is there again, unless the kernel cannot take it yet. */
function isLost(table: DeviceRoutes, route: KernelRoute): boolean {
  try {
    return table.add(route);
  } catch (error) {
    // What is not understood is told when all are looked at.
    return !(error instanceof SystemError) || LOST_BY.includes(error.code);
  }
}

function neighboursOf(table: DeviceRoutes): readonly Prefix[] {
  return table.otherNetworks().map(({ address: bytes, length }) => {
    const family = bytes.length === 4 ? 4 : 6;
    return { address: { family, bytes }, length };
  });
}

function textOf({ network: bytes, length, metric }: KernelRoute): string {
  const family = bytes.length === 4 ? 4 : 6;
  const prefix = formatPrefix({ address: { family, bytes }, length });
  // The kernel's own, of IPv6.
  const isOwn = metric === 0 || family === 6 && metric === IPV6_METRIC;
  return isOwn ? prefix : `${prefix} metric ${metric}`;
}

/** IP6_RT_PRIO_USER */
const IPV6_METRIC = 1024;
