/**
 * Options about addresses between the peers (CLI section 2).
 *
 * @module
 */
import { flag, optional, withDefault } from "../option.ts";
import { decimal, host, U16_MAX } from "../values.ts";

/** `-i` and `-p`. */
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
    default: 4444,
    help: "local port; 0 lets the system choose",
  }),
};

/** `-r` and `-o`. */
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
    default: 4444,
    help: "port of the peer",
  }),
};

/** Against roaming; the originals have no such option. */
export const fixedRemoteRow = flag({
  group: "Network",
  long: "--fixed-remote",
  help: "a peer that is known stays where it is: no datagram moves it",
});

/** `-4` and `-6`. */
export const familyRows = {
  ipv4Only: flag({
    group: "Network",
    short: "-4",
    long: "--ipv4-only",
    help: "use IPv4 alone between the peers",
  }),
  ipv6Only: flag({
    group: "Network",
    short: "-6",
    long: "--ipv6-only",
    help: "use IPv6 alone between the peers",
  }),
};
