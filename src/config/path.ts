// Options about the path between the peers and how long packets may be.
import { parseDecimal } from "../net/decimal.ts";
import type { DeviceType } from "../satp/header.ts";
import {
  defaultMss,
  MSS_RANGE,
  type MssChoice,
  MTU_DISCOVERIES,
  type MtuDiscovery,
} from "../tunnel/settings.ts";
import { BadValue, optional, withDefault } from "./option.ts";
import type { Settings } from "./values.ts";

const NEVER = "no" as MtuDiscovery;

export const pathRows = {
  mss: optional({
    group: "Network",
    long: "--mss",
    argument: "choice",
    parse: mss,
    help: "lower the MSS of TCP connections through the tunnel: auto to what " +
      "fits the path, a number of bytes as a further limit, or off " +
      "(default auto with tun, off with tap)",
  }),
  mtuDiscovery: withDefault({
    group: "Network",
    long: "--mtu-disc",
    argument: "choice",
    parse: mtuDiscovery,
    default: NEVER,
    help: 'whether to set "don\'t fragment" (DF) on datagrams, so that ' +
      "routers report what fits: no; maybe, until one has reported; or yes. " +
      "With maybe and yes, senders of packets that are too long get ICMP",
  }),
};

export interface PathOptions {
  readonly mss: MssChoice;
  readonly mtuDiscovery: MtuDiscovery;
}

export function pathOf(
  { values: { mss, mtuDiscovery } }: Settings<typeof pathRows>,
  type: DeviceType,
): PathOptions {
  return { mss: mss ?? defaultMss(type), mtuDiscovery };
}

function mss(text: string): MssChoice {
  if (text === "auto" || text === "off") return text;
  const { least, most } = MSS_RANGE;
  const bytes = parseDecimal(text, least, most);
  if (bytes !== undefined) return bytes;
  throw new BadValue(
    `off, auto, or a number of bytes from ${least} to ${most}`,
  );
}

function mtuDiscovery(text: string): MtuDiscovery {
  const choice = MTU_DISCOVERIES.find((name) => name === text);
  if (choice === undefined) throw new BadValue(MTU_DISCOVERIES.join(", "));
  return choice;
}
