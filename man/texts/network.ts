// What the options about the sockets of both ends do.
import type { Texts } from "../texts.ts";

export default {
  "interface":
    `Local address, or a name that stands for one, to send from and to
    receive at. Without it that is any address of the host. An IPv6 address may
    have a zone, such as "fe80::1%eth0".`,
  "port":
    `Local UDP port, 4444 unless given; 0 lets the system choose one. Ports
    below 1024 go with --username, too, since the socket is open before.`,
  "remote-host": `Address or name of the peer. Without it the daemon waits, and
    learns the address of the peer from the first datagram whose tag is right.
    A name that does not resolve is tried again. Of two ends at least one needs
    it; give it to both where both have an address that stays. HUP has a name
    looked up again. The original believes the first datagram of any kind.`,
  "remote-port": `UDP port of the peer, 4444 unless given.`,
  "no-roaming": `A peer that is known, by --remote-host or because it was heard,
    stays where it is: no datagram moves it, only a new answer to its name or
    another member of the cluster. Without it the peer is followed to where its
    newest authentic datagram came from. Use it where both addresses are fixed.`,
  "keepalive": `Seconds without a datagram to a peer until one without payload
    is sent to it; 0, the default, stands for never. It is authentic, and takes
    a sequence number like all others; originals accept it, although uanytun
    warns of each. Routers that translate addresses forget a flow after half a
    minute of silence: 25 keeps it open. It also tells the peer a new address
    of this end, and a restart. HUP reads it again.`,
  "silent-after": `Seconds without a datagram from a peer until it counts as
    silent, 30 unless given. Where datagrams are sent to it meanwhile the log
    says so, and a name in --remote-host is looked up again: then after twice
    as long, and so on up to ten minutes. Several addresses of the name are
    tried in turn. If the lookup fails the address stays.`,
  "ipv4-only": `Sockets use IPv4 alone, and names resolve to IPv4 addresses
    alone. It is about the datagrams, and neither about packets inside of the
    tunnel nor about a cluster. It excludes --ipv6-only.`,
  "ipv6-only": `Sockets use IPv6 alone, and names resolve to IPv6 addresses
    alone. It excludes --ipv4-only.`,
  "anytun-config remote-host": `Address or name of the client. It is looked up
    once; where it does not resolve nothing is printed. Without it the servers
    learn the address from the first datagram of the client.`,
  "anytun-config remote-port": `UDP port of the client, 4444 unless given. It
    matters with --remote-host alone.`,
  "anytun-config ipv4-only":
    `The name of the client resolves to an IPv4 address.
    It excludes --ipv6-only.`,
  "anytun-config ipv6-only":
    `The name of the client resolves to an IPv6 address.
    It excludes --ipv4-only.`,
} satisfies Texts;
