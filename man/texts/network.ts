// Longer texts on the options about the sockets of both ends.
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
    of this end, and a restart. While nothing comes back, a name in --remote-host
    is looked up again as with --silent-after, and the peer is sought at another
    address if the name has moved there. HUP reads it again.`,
  "silent-after": `Seconds without a datagram from a peer until it counts as
    silent, 30 unless given. Where packets are sent to it meanwhile, and not only
    keepalives, which nobody answers, the log says so, and a name in
    --remote-host is looked up again: then after twice as long, and so on up to
    ten minutes. Several addresses of the name are tried in turn. If the lookup fails the address stays.`,
  "ipv4-only": `Sockets use IPv4 alone, and names resolve to IPv4 addresses
    alone. It is about the datagrams, and neither about packets inside of the
    tunnel nor about a cluster. It excludes --ipv6-only.`,
  "ipv6-only": `Sockets use IPv6 alone, and names resolve to IPv6 addresses
    alone. It excludes --ipv4-only.`,
  "mss": `Lowers the MSS (maximum segment size) in TCP packets that begin a
    connection through the tunnel, in either direction and for IPv4 and IPv6, so
    that no segment is too long for it. "auto" is what fits the MTU of the
    device and what the kernel knows of the path to the peer: the MTU of the
    interface and of the route, and what routers have said (--mtu-disc). A
    number of bytes bounds it as well. It is never raised. "off" leaves packets
    alone. Without the option that is "auto" with a tun device and "off" with
    tap. HUP reads it again; connections that exist keep theirs.`,
  "mtu-disc":
    `Whether datagrams to the peers say "don't fragment" (DF), in the words of
    OpenVPN. "no": routers cut what does not fit, and say nothing; so packets
    pass also where ICMP is filtered. "maybe": datagrams say so as long as they
    fit what is known of the path, a router that has less room tells it by ICMP,
    and what is longer then is cut before it is sent. "yes": always, and what
    does not fit is lost. With "maybe" and "yes" a packet from the device that
    is too long for the path is not sent if it must not be cut itself (IPv4 with
    DF, or IPv6 above 1280 bytes): its sender is told by ICMP how long it may
    be, at a limited rate. The kernel forgets what it was told after ten
    minutes. Where routers or firewalls drop ICMP, "maybe" and "yes" lose long
    packets for good. Over IPv6 routers never cut, so there "no" is the same as
    "maybe", but that no packet is kept back. The sockets of
    the portable data plane are at "maybe", whatever is chosen.`,
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
