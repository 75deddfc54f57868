// Options about the kernel's routes to the device.
import { parseAddress } from "../net/address.ts";
import { U32_MAX } from "../net/decimal.ts";
import { formatPrefix, type Prefix, prefixHolds } from "../net/prefix.ts";
import { routes, type routesRow } from "./connection.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { decimal, flag, repeated, withDefault } from "./option.ts";
import type { remoteRows } from "./network.ts";
import type { socketRows } from "./socket.ts";
import type { Settings } from "./values.ts";
import type { syncServerRows } from "./sync_servers.ts";

/** As the only word of a list: an empty one. */
const NONE = "none";

/** What nobody has for himself alone (RFC 1918, RFC 4193). */
const PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7";

export const kernelRouteRows = {
  routesInstall: flag({
    group: "Device",
    long: "--routes-install",
    help: "add kernel routes to the device, for the networks of --route (-R) " +
      "and those that other members tell of; they are removed at the end",
  }),
  routesAccept: repeated({
    group: "Device",
    long: "--routes-accept",
    argument: "net/length,...",
    parse: accepted,
    choices: [NONE],
    help: "the networks that other members may have routes in, or none; may " +
      `be given several times (default the private ones: ${
        PRIVATE.replaceAll(",", ", ")
      })`,
  }),
  routesMetric: withDefault({
    group: "Device",
    long: "--routes-metric",
    argument: "number",
    parse: decimal(0, U32_MAX),
    default: 0,
    help: "metric of these routes; 0 for the kernel's default",
  }),
};

function accepted(text: string): readonly Prefix[] {
  return text === NONE ? [] : routes(text);
}

export interface KernelRouteOptions {
  readonly metric: number;
  /**
   * Whether routes may hold the addresses of peers: their datagrams have a mark,
   * by which a rule leads them elsewhere.
   */
  readonly mayHoldPeers: boolean;
  /** Those of `--route`. */
  readonly own: readonly Prefix[];
  /** What networks of others have to be in. */
  readonly accepted: readonly Prefix[];
}

type KernelRouteSettings = Settings<
  & typeof kernelRouteRows
  & typeof remoteRows
  & typeof socketRows
  & typeof syncServerRows
  & { readonly routes: typeof routesRow }
>;

const ELSEWHERE = "the datagrams to the peer would go into the tunnel as " +
  "well: add --mark, and a rule that leads what has it elsewhere " +
  "('ip rule add fwmark ...')";

/** @returns undefined where none are to be installed */
export function kernelRoutesOf(
  settings: KernelRouteSettings,
  isTun: boolean,
  warn: Warn,
): KernelRouteOptions | undefined {
  const { values, names } = settings;
  const { routesInstall, routesMetric: metric, mark = 0 } = values;
  if (!routesInstall) {
    if (metric !== 0) {
      warn(`${names.routesMetric} has no effect without --routes-install`);
    }
    if (values.routesAccept.length > 0) {
      warn(`${names.routesAccept} has no effect without --routes-install`);
    }
    return undefined;
  }
  if (!isTun) {
    throw new OptionFault(
      `Cannot use ${names.routesInstall} with --type tap: Ethernet needs ` +
        "gateways, and routes to them; it works with --type tun",
    );
  }
  const mayHoldPeers = mark !== 0;
  const own = values.routes.flat();
  if (!mayHoldPeers) checkOwn(settings, own);
  return { metric, mayHoldPeers, own, accepted: acceptedOf(settings, warn) };
}

/** @throws {OptionFault} if one would lead the tunnel into itself */
function checkOwn(
  { values, names }: KernelRouteSettings,
  own: readonly Prefix[],
): void {
  const remote = parseAddress(values.remoteHost ?? "");
  for (const prefix of own) {
    const text = `${names.routes} (-R) ${formatPrefix(prefix)} with ` +
      names.routesInstall;
    if (isDefaultRoute(prefix.address.bytes.length, prefix.length)) {
      throw new OptionFault(`Cannot use ${text}: ${ELSEWHERE}`);
    }
    if (remote !== undefined && prefixHolds(prefix, remote)) {
      throw new OptionFault(
        `Cannot use ${text} and ${names.remoteHost} (-r) ` +
          `${values.remoteHost}: ${ELSEWHERE}`,
      );
    }
  }
}

function acceptedOf(
  { values, names }: KernelRouteSettings,
  warn: Warn,
): readonly Prefix[] {
  const { routesAccept: given, syncHosts, controlHosts } = values;
  if (given.length === 0) return routes(PRIVATE);
  if (syncHosts.length + controlHosts.length === 0) {
    warn(
      `${names.routesAccept} has no effect without --sync-hosts (-M) or ` +
        "--control-host (-X): no other member tells of networks",
    );
  }
  return given.flat();
}

/**
 * No network is as large. Two halves of all addresses, which take precedence over
 * the default route, stand for one.
 * @param bytes Of the address: 4 or 16
 */
export function isDefaultRoute(bytes: number, length: number): boolean {
  return length < (bytes === 4 ? SHORTEST_IPV4 : SHORTEST_IPV6);
}

/** 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193). */
const SHORTEST_IPV4 = 8;
const SHORTEST_IPV6 = 7;
