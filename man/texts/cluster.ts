// Longer texts on the options about clusters and control daemons.
import type { Texts } from "../texts.ts";

export default {
  "health-sync-age": `How long the other members may be out of reach before this
    one is not in step with them, and so "unfit" (--health-rise): 10 s unless
    given. As long it waits after a start for the table of each server that it
    follows; then those count that it has heard. HUP takes over changes.`,
  "health-sync-links":
    `How many of the other hosts that it follows (--sync-hosts,
    --control-host) have to be in reach for a member to be in step. Unless given
    it is one where it follows several: the end of others leaves it in service,
    and a cut that leaves it alone does not. Where it follows a single one it is
    none, as nobody can tell there which of both is cut off; 0 says the same of
    several. A host that answers that nobody serves there is in reach. Sockets of
    this host do not count. HUP takes over changes.`,
  "sync-interface":
    `Local address or name that the server of --sync-port listens
    at. Without it that is 127.0.0.1, where the original takes all addresses.
    Members on other hosts need it: see --sync-tls-cert.`,
  "sync-port": `Serves the connections of this daemon, keys included, to other
    members of the cluster at this TCP port, or at the unix socket
    "unix:<path>", which root and the user of the daemon alone may connect to.
    Off unless given. Path names are absolute, of at most 107 bytes.`,
  "sync-hosts": `Other servers to take connections from, separated by commas:
    "<host>:<port>", with brackets around an IPv6 address, or "unix:<path>". The
    port is 2323 unless given. It may be given several times. The daemon stays
    connected, or tries again. Itself among them counts for nothing. It switches routing on: the destination of a
    packet decides which connection gets it.`,
  "control-host": `Control daemons to take connections from. The same as
    --sync-hosts, unless --member-rights is "learn".`,
  "member-rights": `What servers of --sync-hosts are believed: "all" that they
    state, as by the original, or what they "learn" from packets. Then they may
    tell where the clients are that are known here, how far sequence numbers have
    come, what they have accepted, and how they are. Connections that are new,
    other keys, routes and removals count from servers of --control-host alone,
    of which there has to be one; from others they are passed over, counted, and
    told of in the log. What options of this daemon say counts here, and at
    others that have "all". With --sync-tls-cert the certificate of a server of
    --control-host has to have its name or address, as it is given there, as
    subjectAltName, and --sync-tls-ca has to be given. Takes effect at a start.`,
  "sync-tls-cert":
    `Protects synchronisation by TLS 1.3: the certificate to show,
    as PEM. Each side checks that of the other one: it has to be signed by
    --sync-tls-ca, or without that be this very one. Names in certificates are
    not compared, unless --member-rights is "learn". All members need the options
    then, control daemons and anytun-showtables included, and Deno 2.9 or newer.
    The files are read before privileges are dropped, and again at a HUP:
    connections from then on use what they say. The originals have no TLS.`,
  "sync-tls-key": `The private key of --sync-tls-cert, as PEM without a
    passphrase. A start warns if others may read the file.`,
  "sync-tls-ca": `The authority that has signed the certificates of all members,
    as PEM. Whoever has a certificate of it takes part: use one that signs for
    nothing else. The system's authorities count for nothing.`,
  "sync-any-user":
    `Over TCP to or from a loopback address, members believe every
    user of this host, as the originals do: any of them can then read all keys,
    and bring in keys and routes. Without it they believe root and the user of
    the daemon alone.`,
  "any-source": `Takes packets of any source address from each peer. Without it,
    with routing on a tun device, a packet from a peer is dropped unless its
    source is routed to that peer, or it is an ICMP error about a packet to it.
    The originals check nothing.`,
  "anytun-controld file": `The file of clients to serve: the output of
    anytun-config for each of them, one after the other. It holds the keys of all
    of them: nobody else should be able to read it. It is read again when it
    changes, and by HUP; one with a fault leaves everything as it was, and the
    log says where it is. The original reads it once.`,
  "key-chains":
    `Serves keys that change: of each connection whose key chain is in
    this folder, in a file that has the mux for its name, the keys of now, in
    place of those of --file. So they reach servers of the original program,
    too.`,
  "anytun-controld control-host": `Where to listen: "<host>:<port>", or
    "unix:<path>" for a unix socket that root and the user of the daemon alone
    may connect to. Unless given it is "127.0.0.1:2323", where the port alone may
    be given, too; ":<port>" is all addresses. Whoever may connect gets
    the keys of all clients.`,
  "connect": `Asks the server or control daemon at "<host>:<port>" or
    "unix:<path>", in place of reading what one has sent from standard input.
    The port is 2323 unless given.`,
  "watch": `Goes on for as long as there is something to come, and prints each
    change. Without it the program ends when the tables have been shown.`,
  "json": `Prints a line of JSON for each record, for other programs.`,
} satisfies Texts;
