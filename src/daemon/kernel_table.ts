// The kernel's table: routes to the device that it has from this daemon, and
// what was said of those that it has not.
import { SystemError } from "../../ffi/errno.ts";
import type {
  DeviceRoutes,
  KernelRoute,
} from "../../ffi/tuntap/device_routes.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { addressOf } from "../net/address.ts";
import { formatPrefix, type Prefix } from "../net/prefix.ts";
import { InstalledRoutes } from "./installed_routes.ts";

const DOWN = "the device is down";

/** With the device down, and IPv6 disabled, the kernel has dropped them. */
const LOST_BY: readonly string[] = ["ENETDOWN", "EACCES"];

/** IP6_RT_PRIO_USER */
const IPV6_METRIC = 1024;

interface KernelTableContext {
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

/** What is wanted, or why it must not be; undefined where nobody tells of it. */
export type Verdict = KernelRoute | string | undefined;

export class KernelTable {
  readonly #routes: DeviceRoutes;
  readonly #context: KernelTableContext;
  readonly #installed = new InstalledRoutes();
  /** What was said of routes that are not there; each once. */
  readonly #told = new Map<string, string>();

  /** Nothing is known of it until {@linkcode look}. */
  constructor(routes: DeviceRoutes, context: KernelTableContext) {
    this.#routes = routes;
    this.#context = context;
  }

  /** Of routes that are there. */
  texts(): Iterable<string> {
    return this.#installed.texts();
  }

  /** Networks that this host is in itself, by other devices. */
  neighbours(): readonly Prefix[] {
    return this.#routes.otherNetworks()
      .map(({ address, length }) => ({ address: addressOf(address), length }));
  }

  /**
   * What a run before has left at a device that stays is ours.
   * @throws if the kernel does not list them: what was known stays known
   */
  look(): void {
    const found = this.#routes.list();
    this.#installed.clear();
    for (const route of found) this.#installed.set(routeText(route), route);
  }

  /**
   * The kernel drops all of a device that is set down, however shortly, and those
   * of IPv4 with its last address. So one of each family tells of the others. Only
   * trying is certain: who looks at the device sees no moment between two looks.
   */
  hasLost(): boolean {
    return this.#installed.nextOnes().some((route) => this.#isLost(route));
  }

  /**
   * Has routes come and go, as the verdict on each text is.
   *
   * @returns Those that the kernel did not take, or did not give up
   * @throws if an answer of the kernel is not understood
   */
  change(
    texts: Iterable<string>,
    verdictOn: (text: string) => Verdict,
  ): readonly string[] {
    const come: [string, KernelRoute][] = [];
    const gone: [string, KernelRoute][] = [];
    for (const text of texts) {
      const wanted = this.#wanted(text, verdictOn(text));
      const installed = this.#installed.get(text);
      if (wanted !== undefined && installed === undefined) {
        come.push([text, wanted]);
      } else if (wanted === undefined && installed !== undefined) {
        gone.push([text, installed]);
      }
    }
    // First what comes: a route that is replaced by another one leaves no gap.
    return [...this.#addAll(come), ...this.#removeAll(gone)];
  }

  /** What was said of others than these may be said again. */
  forgetOthers(texts: ReadonlySet<string>): void {
    for (const text of this.#told.keys()) {
      if (!texts.has(text)) this.#told.delete(text);
    }
  }

  /** Takes all routes out. */
  close(): void {
    for (const [text, route] of this.#installed.entries()) {
      try {
        this.#routes.remove(route);
      } catch (error) {
        this.#context.logger.error(
          `Cannot take the route ${text} out again: ${reasonOf(error)}`,
        );
      }
    }
    this.#routes[Symbol.dispose]();
  }

  /** One that was lost is there again, unless the kernel cannot take it yet. */
  #isLost(route: KernelRoute): boolean {
    try {
      return this.#routes.add(route);
    } catch (error) {
      // What is not understood is told when all are looked at.
      return !(error instanceof SystemError) || LOST_BY.includes(error.code);
    }
  }

  #wanted(text: string, verdict: Verdict): KernelRoute | undefined {
    if (verdict === undefined) this.#told.delete(text);
    if (typeof verdict !== "string") return verdict;
    this.#tell(text, verdict);
    return undefined;
  }

  /** @returns Those that the kernel did not take */
  #addAll(routes: readonly [string, KernelRoute][]): readonly string[] {
    const refused: string[] = [];
    let why: string | undefined;
    for (const [text, route] of routes) {
      // A device that is down takes no other one either.
      if (why !== DOWN) why = this.#add(text, route);
      if (why === undefined) continue;
      refused.push(text);
      this.#tell(text, why);
    }
    return refused;
  }

  /** @returns Why the kernel did not take it */
  #add(text: string, route: KernelRoute): string | undefined {
    try {
      if (!this.#routes.add(route)) {
        return "there is a route of somebody else already";
      }
      this.#installed.set(text, route);
      this.#told.delete(text);
      this.#say(() => `kernel route ${text} is there`);
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return error.code === "ENETDOWN" ? DOWN : reasonOf(error);
    }
  }

  /** @returns Those that are still there */
  #removeAll(routes: readonly [string, KernelRoute][]): readonly string[] {
    const refused: string[] = [];
    for (const [text, route] of routes) {
      try {
        this.#routes.remove(route);
        this.#installed.delete(text);
        this.#say(() => `kernel route ${text} is gone`);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        refused.push(text);
        this.#tell(text, reasonOf(error));
      }
    }
    return refused;
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

/** By which a route is known, and told of. */
export function routeText(
  { network, length, metric }: KernelRoute,
): string {
  const address = addressOf(network);
  const prefix = formatPrefix({ address, length });
  // The kernel's own, of IPv6.
  const isOwn = metric === 0 ||
    address.family === 6 && metric === IPV6_METRIC;
  return isOwn ? prefix : `${prefix} metric ${metric}`;
}
