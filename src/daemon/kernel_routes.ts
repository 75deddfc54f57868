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
import type { IpAddress } from "../net/address.ts";
import { CollectedWork } from "../net/collected_work.ts";
import type { Every } from "../net/every.ts";
import { formatPrefix, type Prefix, withoutHostBits } from "../net/prefix.ts";
import type { Delay } from "../net/delay.ts";
import type { Route } from "../route/route.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { Service } from "./lifecycle.ts";
import { refusalOf } from "./permitted_route.ts";

/** Others tell of routes by the thousand. */
const COLLECT_MS = 20;
/** How often to try those again that the kernel did not take. */
const RETRY_MS = 2000;

type Options = NonNullable<AnytunOptions["kernelRoutes"]>;

interface KernelRoutesContext {
  readonly device: () => Pick<DeviceHandle, "name" | "openRoutes">;
  /** All that there are. */
  readonly routes: () => readonly Route[];
  /** Those of a connection whose datagrams its routes must not lead astray. */
  readonly namedPeers: (mux: number) => readonly IpAddress[];
  readonly delay: Delay;
  readonly elapsed: () => number;
  readonly every: Every;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

interface KnownRoute {
  readonly route: KernelRoute;
  readonly prefix: Prefix;
  readonly mux: number;
}

export class KernelRoutes
  implements Service<Pick<AnytunOptions, "kernelRoutes">> {
  readonly name = "kernel routes";
  readonly live = ["routesAccept"];
  #options: Options;
  readonly #context: KernelRoutesContext;
  #table: DeviceRoutes | undefined;
  /** Ours in the kernel, by their text. */
  readonly #installed = new Map<string, KernelRoute>();
  /** What was said of routes that are not there; each once. */
  readonly #told = new Map<string, string>();
  readonly #changes: CollectedWork;
  #isToRetry = false;

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

  /** Some routes have come or gone, or peers were named. */
  changed(): void {
    if (this.#table !== undefined) this.#changes.ask();
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#context.every(RETRY_MS, () => {
      if (this.#isToRetry) this.changed();
    }, stop);
  }

  /** An answer of the kernel that is not understood ends no daemon. */
  #tryUpdate(): void {
    try {
      this.#update();
    } catch (error) {
      this.#isToRetry = true;
      this.#context.limited.write(
        "error",
        "kernel routes",
        () => `Cannot change kernel routes: ${reasonOf(error)}`,
      );
    }
  }

  /** A device that was down has lost its routes. The mark may be another. */
  reload({ kernelRoutes }: Pick<AnytunOptions, "kernelRoutes">): void {
    this.#options = kernelRoutes ?? this.#options;
    this.#look();
    this.#update();
  }

  report(): readonly string[] {
    const routes = [...this.#installed.keys()];
    return [`kernel routes: ${routes.join(", ") || "none"}`];
  }

  close(): void {
    const table = this.#table;
    this.#table = undefined;
    for (const [text, route] of this.#installed) {
      try {
        table?.remove(route);
      } catch (error) {
        this.#context.logger.error(
          `Cannot take the route ${text} out again: ${reasonOf(error)}`,
        );
      }
    }
    this.#installed.clear();
    table?.[Symbol.dispose]();
  }

  #look(): void {
    // First: if that fails, what was known to be ours is still ours.
    const found = this.#table?.list() ?? [];
    this.#installed.clear();
    for (const route of found) this.#installed.set(textOf(route), route);
  }

  #update(): void {
    const table = this.#table;
    if (table === undefined) return;
    this.#isToRetry = false;
    const known = this.#known();
    for (const text of this.#told.keys()) {
      if (!known.has(text)) this.#told.delete(text);
    }
    const wanted = this.#permitted(known, neighboursOf(table));
    // First what comes: a route that is replaced by another one leaves no gap.
    for (const [text, route] of wanted) {
      if (!this.#installed.has(text)) this.#add(table, text, route);
    }
    for (const [text, route] of this.#installed) {
      if (!wanted.has(text)) this.#remove(table, text, route);
    }
  }

  #known(): ReadonlyMap<string, KnownRoute> {
    const { metric } = this.#options;
    const known = new Map<string, KnownRoute>();
    for (const { network, prefixLength, mux } of this.#context.routes()) {
      if (network.family === "ethernet") continue;
      const length = Math.min(prefixLength, network.bytes.length * 8);
      const bytes = withoutHostBits(network.bytes, length);
      const prefix = { address: { family: network.family, bytes }, length };
      const route = { network: bytes, length, metric };
      known.set(textOf(route), { route, prefix, mux });
    }
    return known;
  }

  #permitted(
    known: ReadonlyMap<string, KnownRoute>,
    neighbours: readonly Prefix[],
  ): ReadonlyMap<string, KernelRoute> {
    const permitted = new Map<string, KernelRoute>();
    for (const [text, { route, prefix, mux }] of known) {
      const spared = { neighbours, peers: this.#context.namedPeers(mux) };
      const refusal = refusalOf(prefix, spared, this.#options);
      if (refusal === undefined) permitted.set(text, route);
      else this.#tell(text, refusal);
    }
    return permitted;
  }

  #add(table: DeviceRoutes, text: string, route: KernelRoute): void {
    try {
      if (table.add(route)) {
        this.#installed.set(text, route);
        this.#told.delete(text);
        this.#say(() => `kernel route ${text} is there`);
      } else {
        this.#isToRetry = true;
        this.#tell(text, "there is a route of somebody else already");
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#isToRetry = true;
      const isDown = error.code === "ENETDOWN";
      this.#tell(text, isDown ? "the device is down" : reasonOf(error));
    }
  }

  #remove(table: DeviceRoutes, text: string, route: KernelRoute): void {
    try {
      table.remove(route);
      this.#installed.delete(text);
      this.#say(() => `kernel route ${text} is gone`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#isToRetry = true;
      this.#tell(text, reasonOf(error));
    }
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

/** They come and go; whoever asks for the kernel's routes asks anew. */
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
