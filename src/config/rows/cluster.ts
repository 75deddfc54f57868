/**
 * Options of servers that share one address and keep each other up to date
 * (CLI section 2).
 *
 * @module
 */
import { hosts } from "../lists.ts";
import { optional, repeated } from "../option.ts";
import { anyText, decimal, host, U16_MAX } from "../values.ts";

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

/** `-I`, `-S`, `-M`, `-X` and certificates. */
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
    parse: decimal(1, U16_MAX),
    help: "serve the connections of this server to others on this port",
  }),
  syncHosts: repeated({
    group: "Cluster",
    short: "-M",
    long: "--sync-hosts",
    argument: "host:port,...",
    parse: hosts,
    help: "servers to take connections from; may be given several times " +
      "(port 2323 unless given)",
  }),
  controlHosts: repeated({
    group: "Cluster",
    short: "-X",
    long: "--control-host",
    argument: "host:port,...",
    parse: hosts,
    help: "anytun-controld to take connections from; the same as -M",
  }),
  ...syncTlsRows,
};
