// Options about the kernel's routes to the device.
import { parseAddress } from "../net/address.ts";
import { formatPrefix, prefixHolds } from "../net/prefix.ts";
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { decimal, flag, U32_MAX, withDefault } from "./option.ts";
import type { Settings } from "./values.ts";
import type { routesRow } from "./connection.ts";
import type { remoteRows } from "./network.ts";
import type { socketRows } from "./socket.ts";

export const kernelRouteRows = {
  routesInstall: flag({
    group: "Device",
    long: "--routes-install",
    help: "add kernel routes to the device, for the networks of --route (-R) " +
      "and those that other members tell of; they are removed at the end",
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

export interface KernelRouteOptions {
  readonly metric: number;
  /**
   * Whether routes may hold the addresses of peers: their datagrams have a mark,
   * by which a rule leads them elsewhere.
   */
  readonly mayHoldPeers: boolean;
}

type KernelRouteSettings = Settings<
  & typeof kernelRouteRows
  & typeof remoteRows
  & typeof socketRows
  & { readonly routes: typeof routesRow }
>;

const ELSEWHERE = "the datagrams to the peer would go into the tunnel as " +
  "well: add --mark, and a rule that leads what has it elsewhere " +
  "('ip rule add fwmark ...')";

/** @returns undefined where none are to be installed */
export function kernelRoutesOf(
  { values, names }: KernelRouteSettings,
  isTun: boolean,
  warn: Warn,
): KernelRouteOptions | undefined {
  const { routesInstall, routesMetric: metric, mark = 0, routes } = values;
  if (!routesInstall) {
    if (metric !== 0) {
      warn(`${names.routesMetric} has no effect without --routes-install`);
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
  const remote = parseAddress(values.remoteHost ?? "");
  for (const prefix of mayHoldPeers ? [] : routes.flat()) {
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
  return { metric, mayHoldPeers };
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
