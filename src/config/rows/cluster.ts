/**
 * Options of servers that share one address and keep each other up to date
 * (CLI section 2).
 *
 * @module
 */
import { places, portOrSocket } from "../lists.ts";
import { flag, optional, repeated } from "../option.ts";
import { anyText, host } from "../values.ts";

/** Certificates for the sync stream; the originals have none. */
export const syncTlsRows = {
  syncTlsCert: optional({
    group: "Cluster",
    long: "--sync-tls-cert",
    argument: "file",
    parse: anyText,
    help: "protect synchronisation by TLS: the certificate to show, as PEM; " +
      "all members need one of a common authority, or this very one",
  }),
  syncTlsKey: optional({
    group: "Cluster",
    long: "--sync-tls-key",
    argument: "file",
    parse: anyText,
    help: "the private key of that certificate",
  }),
  syncTlsCa: optional({
    group: "Cluster",
    long: "--sync-tls-ca",
    argument: "file",
    parse: anyText,
    help: "the authority that has signed the certificates of all members",
  }),
};

/** Who is trusted with what members tell each other. */
export const syncTrustRows = {
  ...syncTlsRows,
  syncAnyUser: flag({
    group: "Cluster",
    long: "--sync-any-user",
    help: "over TCP on loopback, trust every user of this host, and not only " +
      "root and the own one: any of them can then read all keys, and bring in " +
      "keys and routes",
  }),
};

/** `-I`, `-S`, `-M`, `-X` and who is trusted. */
export const clusterRows = {
  syncHost: optional({
    group: "Cluster",
    short: "-I",
    long: "--sync-interface",
    argument: "host",
    parse: host,
    help:
      "local address or name of the synchronisation server (default loopback)",
  }),
  syncPort: optional({
    group: "Cluster",
    short: "-S",
    long: "--sync-port",
    argument: "port",
    parse: portOrSocket,
    help: "serve the connections of this server to others on this port, or " +
      "on unix:<path> to root and the own user alone",
  }),
  syncHosts: repeated({
    group: "Cluster",
    short: "-M",
    long: "--sync-hosts",
    argument: "host:port,...",
    parse: places,
    help: "servers to take connections from, each host:port or unix:<path>; " +
      "may be given several times (port 2323 unless given)",
  }),
  controlHosts: repeated({
    group: "Cluster",
    short: "-X",
    long: "--control-host",
    argument: "host:port,...",
    parse: places,
    help: "anytun-controld to take connections from; the same as -M",
  }),
  ...syncTrustRows,
};
