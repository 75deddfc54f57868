// What the options about the sockets between the peers do.
import type { Texts } from "../texts.ts";

export default {
  "mark": `The firewall mark of all datagrams to the peer (SO_MARK), decimal or
    hexadecimal, for "ip rule" and nftables: 0 to 4294967295, and 0, the
    default, is none. With a rule such as "ip rule add fwmark 0x51 table 100"
    the tunnel's own datagrams take another way than the packets inside, so
    that even a default route may lead into the tunnel. It needs the native
    data plane, and CAP_NET_ADMIN until privileges are given up. A HUP changes
    it where the daemon has that capability still; after --username it needs a
    restart, and the log says so. The originals have no such option.`,
  "bind-device": `The network device that all datagrams to and from the peer go
    over, such as "eth0" or a VRF, whatever the routes say (SO_BINDTODEVICE).
    Without it the routes decide, and datagrams are taken from all devices. The
    device has to be there at the start; if it goes later and another one of its
    name comes, the daemon has to be started again. It needs the native data
    plane, and CAP_NET_RAW on kernels before 5.7. The originals have no such
    option.`,
} satisfies Texts;
