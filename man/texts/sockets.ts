// Longer texts on the options about the sockets between the peers.
import type { Texts } from "../texts.ts";

export default {
  "dscp": `The DSCP of the datagrams to the peer, by which routers on the way
    treat them: "copy" has that of the packets inside, so that telephony goes
    before bulk through the tunnel as well, and whoever looks on sees which is
    which; a number from 0 to 63 is the same for all, such as 46 for expedited
    forwarding; "off", the default, is 0. Packets that come out of the tunnel
    keep their own. A HUP changes it. On the portable data plane it has no
    effect, and a warning says so. The originals leave it 0.`,
  "ecn": `Whether congestion on the path is told to the connections inside, by
    marks in place of losses (ECN, RFC 6040): "on" copies the mark of each packet
    to its datagram, and combines both where it comes out; a packet that met
    congestion, and whose sender takes no marks, is dropped and counted. The
    default is on with --dscp copy, and "off" otherwise. Use it on both ends or
    on none: an end that does not know of it, such as one of the originals, does
    not pass marks on, so that senders would take a full path for an empty one.
    A HUP changes it. On the portable data plane it has no effect, and a warning
    says so.`,
  "mark": `The firewall mark of all datagrams to the peer (SO_MARK), decimal or
    hexadecimal, for "ip rule" and nftables: 0 to 4294967295, and 0, the
    default, is none. With a rule such as "ip rule add fwmark 0x51 table 100"
    the tunnel's own datagrams take another way than the packets inside, so
    that even a default route may lead into the tunnel. It needs the native
    data plane, and CAP_NET_ADMIN until privileges are given up. A HUP changes
    it where the daemon has that capability still; after --username another
    mark is a fault, with which nothing changes until a restart. What else the
    daemon sends has no mark: the connections of sync (--sync-hosts,
    --control-host), since members may meet in another network than peers, and
    lookups of names. Where a default route leads into the tunnel they go there,
    too; a rule such as "ip rule add to <address> table <n> pref 90", with the
    table of the uplink, keeps members and name servers outside. The originals
    have no such option.`,
  "bind-device": `The network device that all datagrams to and from the peer go
    over, such as "eth0" or a VRF, whatever the routes say (SO_BINDTODEVICE).
    Without it the routes decide, and datagrams are taken from all devices. The
    device has to be there at the start; if it goes later and another one of its
    name comes, the daemon has to be started again. The connections of sync and
    lookups of names go as the routes say. It needs the native data
    plane, and CAP_NET_RAW on kernels before 5.7. The originals have no such
    option.`,
} satisfies Texts;
