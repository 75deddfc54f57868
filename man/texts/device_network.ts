// Longer texts on the options about the device's network and the kernel's routes.
import type { Texts } from "../texts.ts";

export default {
  "netns":
    `The network namespace in which the device is made, or looked for, and
    in which it gets its addresses, MTU and routes; the sockets, those of sync,
    status and metrics as well, stay in the present one. So what runs there has no other way out than the tunnel. It is
    a name of "ip netns" (a file in "/run/netns"), or a path such as
    "/proc/<pid>/ns/net", and has to be there at the start. The programs of
    --post-up-script and --down-script run in that namespace as well, with its
    path in ANYTUN_NETNS. It needs CAP_SYS_ADMIN until privileges are given up;
    use --username, since all threads of root keep it. The originals have no
    such option.`,
  "routes-install": `Puts a route to the device into the kernel's main table for
    each network of --route, and with --sync-hosts or --control-host for each
    that other members tell of; takes it out again when the network goes away,
    and at the end. The routes have protocol number 97 ("ip route show proto
    97"). Those of anybody else are neither changed nor taken away: where there
    is one for the same network already, a warning says so. What a killed run
    has left at a device that stays is taken over. Routes that go missing
    are put back: all of them a few seconds after a device that was set down is
    up again; a single one that somebody has deleted when its turn comes, one
    of each family every two seconds, or at a HUP. A default route, also as two
    halves (shorter than /8, or /7 of IPv6), or one that holds the address of
    --remote-host, would lead the tunnel's own datagrams into the tunnel: it is
    refused without --mark. What other members tell of is bounded by
    --routes-accept as well. With --mark add rules, such
    as "ip rule add not fwmark 0x51 table 100 pref 100" with a default route in
    table 100 that a post-up program makes, or "ip rule add fwmark 0x51 table
    100 pref 100" with the way to the peer in table 100. With --username the
    main thread keeps CAP_NET_ADMIN. With --type tap it is refused. The
    originals leave routes to the post-up program.`,
  "routes-accept": `Bounds what --routes-install takes from other members:
    a network that one of them tells of has to be in one of these. The networks
    of --route are taken in any case. A member that is wrong, or was taken over,
    can lead what this host sends to any address in these networks into the
    tunnel. Without the option they are the private ones, 10.0.0.0/8,
    172.16.0.0/12, 192.168.0.0/16 and fc00::/7: these are what lies behind
    tunnels, while no public address, nor one of 169.254.0.0/16, is for somebody
    else to take away. Name the networks of your sites to be stricter; "none"
    takes nothing from others, and "0.0.0.0/0,::/0" whatever they say. A default
    route needs both that and --mark. In no case does a network of others come
    into the table that is one, or in one, in which this host has an address by
    another device, so that its neighbours and its gateway stay where they are;
    nor, without --mark, one that holds the address of --remote-host, or the one
    that members tell of the peer behind it. What is refused is logged as a
    warning. It can be changed at a HUP. The originals have no such option.`,
  "routes-metric": `The metric of the routes that --routes-install makes: 0 to
    4294967295, of several routes to one network the lowest counts. The default
    0 is the kernel's own: 0 for IPv4, 1024 for IPv6.`,
} satisfies Texts;
