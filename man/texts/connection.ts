// Longer texts on the options about one connection.
import type { Texts } from "../texts.ts";

export default {
  "sender-id": `A number from 0 to 65535 in each datagram that tells apart
    senders that share one key, such as servers behind one address, and one
    start of a daemon from the next. "auto" takes one at random for each start,
    and another when its 2^32 sequence numbers are used; a range such as
    "256-511" takes from these alone, up to 256 of them. Without it that is
    "auto", but 0 for members of a cluster (--sync-port, --sync-hosts,
    --control-host), with a warning: give each member a range of its own, or 0 to
    the only one. With a fixed number
    sending stops after 2^32 datagrams under one key. The original has 0.`,
  "state-dir":
    `Folder that keeps which sequence numbers and sender ids were used
    and which numbers were accepted, beyond the life of the process: so no
    restart, crash or kill has numbers used twice or recordings accepted. There
    are no keys in it, but a hash of each. It has to belong to root or to the
    user of --username, and nobody else may write to it. Several daemons may use
    one folder. Without the option it is the first folder of
    "$STATE_DIRECTORY", as systemd sets it, or "/var/lib/anytun"; where that
    cannot be used nothing is kept, and a warning says so. "none" keeps nothing.
    The originals begin at 0 with each start.`,
  "allow-wrap":
    `Goes on sending when all sequence numbers of a sender id and key
    are used, as the originals do, with key streams that were used before: who
    has recorded both can compare the packets. Without it sending goes on with
    another sender id, or stops where there is none.`,
  "mux": `Number of the connection, 0 to 65535, and 0 unless given. Both ends
    need the same. Where one server has several clients each of them has a mux
    of its own.`,
  "window-size": `How many sequence numbers a packet may lie behind the newest
    one of its sender without being taken for a replay, at most 1048576. 0
    accepts what is sent again. Without the option it is 1024 with --key-chain,
    or where --state-dir names a folder, and otherwise 0, as with the originals:
    a peer that counts from 0 again after a restart, with the same sender id,
    is not heard by a window until it has passed the number from before.`,
  "role": `"left" (or "alice", "server") or "right" (or "bob", "client"), and
    "left" unless given. One end is left, the other one right: the two directions
    have different keys. With the same role at both ends all tags are wrong.`,
  "route": `Networks that lie behind the peer, such as
    "192.168.7.0/24,2001:db8:7::/48". It may be given several times. With
    --sync-hosts or --control-host the destination of a packet decides which
    connection gets it, by the longest prefix.`,
  "anytun-config window-size": `Size of the replay window that servers have for
    this client, at most 1048576, and 0 unless given. Leave it at 0 for a client
    with a key chain where any server is the original program.`,
  "anytun-config role": `The role of the servers: "left" (or "alice", "server"),
    or "right" (or "bob", "client"), and "left" unless given. The client has the
    other one.`,
  "anytun-config mux":
    `Number of the connection, 0 to 65535, and 0 unless given.
    Each client has one of its own, and the same --mux.`,
  "anytun-config route": `Networks that lie behind the client, its own address
    inside of the tunnel included, such as "10.99.0.5/32,192.168.7.0/24". It may
    be given several times. Servers send the client what goes there, and accept
    packets with these source addresses from it.`,
} satisfies Texts;
