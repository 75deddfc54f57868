/**
 * The service of kernel routes over a kernel that takes, refuses or loses them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Errno, SystemError } from "../../ffi/errno.ts";
import type {
  DeviceRoutes,
  KernelRoute,
} from "../../ffi/tuntap/device_routes.ts";
import type { KernelRouteOptions } from "../../src/config/kernel_routes.ts";
import { KernelRoutes } from "../../src/daemon/kernel_routes.ts";
import { RateLimitedLog } from "../../src/log/rate_limited_log.ts";
import type { IpAddress } from "../../src/net/address.ts";
import {
  formatPrefix,
  parsePrefix,
  type Prefix,
  withoutHostBits,
} from "../../src/net/prefix.ts";
import type { Route } from "../../src/route/route.ts";
import { ManualClock } from "./manual_clock.ts";
import { recordingLog } from "./recording_log.ts";

export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(prefix);
  return prefix;
}

export function route(text: string, mux = 0): Route {
  const { address: network, length: prefixLength } = prefixOf(text);
  return { network, prefixLength, mux };
}

function textOf({ network, length, metric }: KernelRoute): string {
  const family = network.length === 4 ? 4 : 6;
  const prefix = { address: { family, bytes: network }, length } as const;
  return formatPrefix(prefix) + (metric > 0 ? ` ${metric}` : "");
}

type Asked = "add" | "list" | "otherNetworks" | "remove";

/** Without host bits. */
function prefixText({ network, prefixLength: length }: Route): string {
  if (network.family === "ethernet") return "";
  const bytes = withoutHostBits(network.bytes, length);
  return formatPrefix({ address: { family: network.family, bytes }, length });
}

/** The kernel's routes to one device. */
export class FakeKernel {
  /** Those of other devices. */
  networks: readonly string[] = [];
  /** Whether it lists nothing. */
  isBusy = false;
  /** Whether it answers what nobody understands. */
  isOdd = false;
  readonly ours = new Map<string, KernelRoute>();
  /** Of somebody else. */
  readonly others = new Set<string>();
  /** With the sign of what is asked for. */
  readonly calls: string[] = [];
  /** Those that it does not give up. */
  readonly stuck = new Set<string>();
  /** Why it takes nothing, or 0. */
  errno = 0;
  isClosed = false;

  open(): DeviceRoutes {
    const table: Pick<DeviceRoutes, Asked> & Disposable = {
      otherNetworks: () =>
        this.networks.map(prefixOf)
          .map(({ address: { bytes: address }, length }) => ({
            ...{ address, length },
          })),
      list: () => {
        if (this.isBusy) throw new SystemError("list", "netlink", Errno.EBUSY);
        return [...this.ours.values()];
      },
      add: (route) => {
        const text = textOf(route);
        this.calls.push(`+${text}`);
        if (this.isOdd) throw new Error("the answer is not understood");
        if (this.errno !== 0) {
          throw new SystemError("add", "netlink", this.errno);
        }
        if (this.others.has(text) || this.ours.has(text)) return false;
        this.ours.set(text, route);
        return true;
      },
      remove: (route) => {
        const text = textOf(route);
        this.calls.push(`-${text}`);
        if (this.stuck.has(text)) {
          throw new SystemError("remove", "netlink", Errno.EPERM);
        }
        return this.ours.delete(text);
      },
      [Symbol.dispose]: () => {
        this.isClosed = true;
      },
    };
    return table as DeviceRoutes;
  }
}

const ANY = ["0.0.0.0/0", "::/0"].map(prefixOf);

/** The service over a kernel, with routes and peers that a test changes. */
export class KernelRoutesRig {
  readonly kernel = new FakeKernel();
  readonly clock = new ManualClock();
  readonly logger = recordingLog();
  readonly routes: Route[] = [];
  /** By mux. */
  readonly peers: IpAddress[] = [];
  readonly named: { own?: IpAddress } = {};
  /** How often the service has asked for what. */
  readonly asked = { all: 0, one: 0, peers: 0 };
  readonly service: KernelRoutes;
  readonly #options: KernelRouteOptions;
  #byPrefix: ReadonlyMap<string, Route> | undefined;

  constructor(given: Partial<KernelRouteOptions> = {}) {
    const { kernel, clock: { delay, every, now }, logger } = this;
    this.#options = {
      ...{ metric: 0, mayHoldPeers: false, own: [], accepted: ANY },
      ...given,
    };
    this.service = new KernelRoutes(this.#options, {
      ...{ delay, elapsed: now, every, logger },
      limited: new RateLimitedLog(logger, { burst: 5, perSecond: 0.1 }, now),
      device: () => ({ name: "tun7", openRoutes: () => kernel.open() }),
      routes: () => {
        this.asked.all++;
        return this.routes;
      },
      routeTo: (route) => this.#routeTo(route),
      ownPeer: () => this.named.own,
      peerOf: (mux) => {
        this.asked.peers++;
        return this.peers[mux];
      },
    });
  }

  readonly put = (route: Route): void => {
    this.routes.push(route);
    this.#byPrefix = undefined;
    this.service.routeChanged(route);
  };

  readonly drop = (route: Route): void => {
    this.routes.splice(this.routes.indexOf(route), 1);
    this.#byPrefix = undefined;
    this.service.routeChanged(route);
  };

  readonly reload = (next: Partial<KernelRouteOptions> = {}): void =>
    this.service.reload({ kernelRoutes: { ...this.#options, ...next } });

  #routeTo(route: Route): Route | undefined {
    this.asked.one++;
    this.#byPrefix ??= new Map(
      this.routes.map((one) => [prefixText(one), one]),
    );
    return this.#byPrefix.get(prefixText(route));
  }
}
