// Options about addresses between the peers (CLI section 2).
import { parseAddress } from "../net/address.ts";
import { U16_MAX } from "../net/decimal.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";
import { BadValue, decimal, flag, optional, withDefault } from "./option.ts";
import type { Settings } from "./values.ts";

/** Where servers listen unless told otherwise. */
export const TUNNEL_PORT = 4444;

export const localRows = {
  localHost: optional({
    group: "Network",
    short: "-i",
    long: "--interface",
    argument: "host",
    parse: host,
    help: "local address or name to listen on (default any)",
  }),
  localPort: withDefault({
    group: "Network",
    short: "-p",
    long: "--port",
    argument: "port",
    parse: decimal(0, U16_MAX),
    default: TUNNEL_PORT,
    help: "local port; 0 lets the system choose",
  }),
};

export const remoteRows = {
  remoteHost: optional({
    group: "Network",
    short: "-r",
    long: "--remote-host",
    argument: "host",
    parse: host,
    help: "address or name of the peer (default: wait for its first packet)",
  }),
  remotePort: withDefault({
    group: "Network",
    short: "-o",
    long: "--remote-port",
    argument: "port",
    parse: decimal(1, U16_MAX),
    default: TUNNEL_PORT,
    help: "port of the peer",
  }),
};

/** The originals have no such option. */
export const noRoamingRow = flag({
  group: "Network",
  long: "--no-roaming",
  help: "a peer that is known stays where it is: no datagram moves it",
});

export const peerRows = {
  keepalive: withDefault({
    group: "Network",
    long: "--keepalive",
    argument: "seconds",
    parse: decimal(0, U16_MAX),
    default: 0,
    help: "send each peer an empty datagram when nothing was sent for this " +
      "long, which keeps NAT mappings open and tells the peer of a new " +
      "address; 0 for never",
  }),
  silentAfter: withDefault({
    group: "Network",
    long: "--silent-after",
    argument: "seconds",
    parse: decimal(1, U16_MAX),
    default: 30,
    help: "log that a peer is silent, and look its name up again, when it " +
      "was not heard for this long",
  }),
};

export const familyRows = {
  ipv4Only: flag({
    group: "Network",
    short: "-4",
    long: "--ipv4-only",
    help: "use IPv4 alone between the peers",
    replaces: ["ipv6Only"],
  }),
  ipv6Only: flag({
    group: "Network",
    short: "-6",
    long: "--ipv6-only",
    help: "use IPv6 alone between the peers",
    replaces: ["ipv4Only"],
  }),
};

/** Reads a host: an address, or what may be a name. */
export function host(text: string): string {
  if (parseAddress(text) === undefined && !/^[\w.-]+$/.test(text)) {
    throw new BadValue("a host name, or an address without brackets and port");
  }
  return text;
}

export function familyOf(
  { values: { ipv4Only, ipv6Only } }: Settings<typeof familyRows>,
): FamilyChoice {
  if (ipv4Only && ipv6Only) {
    throw new SyntaxFault("-4 and -6 are mutual exclusive", undefined);
  }
  if (ipv4Only) return "4";
  return ipv6Only ? "6" : "any";
}

/**
 * Refuses an address that the family rules out: unlike a name it will never
 * resolve to another one.
 * @param option What messages call the option
 */
export function requireFamily(
  option: string,
  host: string | undefined,
  family: FamilyChoice,
): void {
  const address = parseAddress(host ?? "");
  if (address === undefined || family === "any") return;
  if (family === String(address.family)) return;
  throw new OptionFault(
    `Cannot use ${option} ${host} with -${family}: ` +
      `it is an IPv${address.family} address`,
  );
}
