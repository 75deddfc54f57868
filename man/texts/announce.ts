// Longer texts on the options about an anycast address.
import type { Texts } from "../texts.ts";

export default {
  "anycast-address":
    `The address that all members of a cluster share, with the length
    of its prefix: "203.0.113.1/32" or "2001:db8::1/128", or a shorter one where
    routers take nothing longer, such as "203.0.113.1/24". It may be given several
    times. The daemon puts it on --anycast-device while it is fit ("anytun
    health"), and takes it away when it is not any more, when it is drained
    ("anytun drain"), and first of all at its end. Routing daemons announce it as
    long as it is there: BIRD by its protocol "direct", FRR by "redistribute
    connected". What still comes after that is taken in and carried, answers
    included, for --drain-time. An address that is on the device at the start is
    taken away until the daemon is fit. Give the routing daemon a router id:
    without one it may take the address for that. A second process of the
    program, the guard, takes the address away within a moment when the daemon is
    killed, 0.7 s after it or one of its threads that carry hangs, and 5 s after
    its main thread alone does. After a kill it says so in the log of the daemon,
    and where that is a file in the syslog as well. Where both are killed anytun-withdraw(8) does so, which the
    unit of the package runs then, or else the kernel after 10 s. An address is
    announced by one daemon of a host. The originals leave all this to scripts.`,
  "anycast-device": `The network device that --anycast-address is put on, which
    the routing daemon looks at and nothing else uses. One that is there already
    ("ip link add anycast0 type dummy") is brought up and stays. Otherwise the
    daemon makes one of this name, which carries nothing and goes with the daemon,
    however that ends. Daemons that share one need it
    made beforehand.`,
  "announce-script":
    `Runs this program with "announce" as its first argument when
    this member becomes fit, and with "withdraw" when it is not any more, drained,
    or at its end, and behind it the addresses of --anycast-address, if there are
    any. It is a path to a file that can be
    executed, or the start is refused. In its environment are "PATH", "ANYTUN_NAME", "ANYTUN_ANYCAST_ADDRESSES"
    (separated by spaces) and "ANYTUN_ANYCAST_DEVICE". It is the way to speak to
    what looks at no device: a routing daemon, a load balancer, a name server. It
    runs with the rights that the daemon was started with, and outside of
    --chroot, also with --username: a process that has kept them since the start
    runs it for each word, one run after the other. By hand these are root's.
    Under systemd they are those of the unit, so that "birdc" takes
    "SupplementaryGroups=bird" in "systemctl edit anytun@NAME". The end waits for it, but no longer than 10
    seconds. It is run with "withdraw" also when the daemon is killed or hangs;
    anytun-withdraw(8) does so whether it was before or not, unless the daemon
    lives. Of those that have a script a host has one of a name ("--config"). A run that takes
    more than a minute is ended, since the next one may have to withdraw; one that
    fails is an error in the log, and is not repeated.
    What it writes comes into the log.`,
  "drain-time":
    `How long what still comes is carried after --anycast-address was
    taken away, at the most: 10 seconds unless given, up to an hour, as in
    "90", "5m" or "1h". It is over when nothing has come from any peer for 2
    seconds. At the end of the daemon nothing else stops before that; a second
    signal does not wait for it. Where nothing is announced it has no effect.`,
} satisfies Texts;
