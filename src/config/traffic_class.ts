// Options about the class of traffic of datagrams.
import { parseDecimal } from "../net/decimal.ts";
import type { DscpChoice } from "../tunnel/settings.ts";
import { BadValue, optional, withDefault } from "./option.ts";
import type { Settings } from "./values.ts";

const MAX_DSCP = 63;
const NONE = "off" as DscpChoice;

export const trafficClassRows = {
  dscp: withDefault({
    group: "Network",
    long: "--dscp",
    argument: "choice",
    parse: dscp,
    default: NONE,
    help: "DSCP of the datagrams to the peer: copy for that of the packets " +
      "inside, which the network then sees; a number from 0 to 63; or off for 0",
  }),
  ecn: optional({
    group: "Network",
    long: "--ecn",
    argument: "choice",
    parse: onOrOff,
    help:
      "on to carry congestion marks (ECN) from packets to their datagrams " +
      "and back; both ends need it " +
      "(default on with --dscp copy, else off)",
  }),
};

export interface TrafficClassOptions {
  readonly dscp: DscpChoice;
  readonly ecn: boolean;
}

export function trafficClassOf(
  { values: { dscp, ecn } }: Settings<typeof trafficClassRows>,
): TrafficClassOptions {
  return { dscp, ecn: ecn ?? dscp === "copy" };
}

function dscp(text: string): DscpChoice {
  if (text === "copy" || text === "off") return text;
  const code = parseDecimal(text, 0, MAX_DSCP);
  if (code !== undefined) return code;
  throw new BadValue(`copy, off, or a number from 0 to ${MAX_DSCP}`);
}

function onOrOff(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new BadValue("on or off");
}
