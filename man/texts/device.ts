// Longer texts on the options about the virtual network device.
import type { Texts } from "../texts.ts";

export default {
  "dev": `Name of the device, at most 15 characters. "%d" in it stands for the
    first number that is free. Without it the system chooses, "tun0" for
    instance. A device of this name that was made before and stays ("ip tuntap
    add") is taken as it is; for more than two --workers it needs
    "multi_queue". Other devices go with the daemon.`,
  "type": `"tun" for IP packets, or "tap" for Ethernet frames; what begins with
    one of these counts for it. Without it the name in --dev decides, which has
    to begin with one of the two then, and without --dev it is "tun". Both ends
    need the same type. Routing (--sync-hosts, --control-host, --route) is for "tun".`,
  "ifconfig":
    `Gives the device this address, IPv4 or IPv6 with the length of its
    prefix, such as "10.99.0.1/24", and brings it up. It may be given several
    times. Without it the device is left alone, for --post-up-script or the
    system's own network configuration. The original knows one IPv4 address
    and needs "/sbin/ifconfig".`,
  "mtu":
    `Size in bytes of the largest packet that the device takes, 68 to 65535,
    and 1400 unless given; only together with --ifconfig. Datagrams are up to 48
    bytes longer than the packets with IPv4, and 68 with IPv6. Use less where
    the path between the ends has less than 1500 bytes.`,
  "post-up-script": `Runs this program as soon as the device is there, with
    the rights that the daemon was started with: root's by hand, and under systemd
    those of the unit. It does not wait for its end. It gets the name of the device and
    "/dev/net/tun" as arguments, as with the original, and besides "PATH" the
    variables "ANYTUN_DEVICE", "ANYTUN_TYPE", "ANYTUN_ADDRESSES" (separated by
    spaces) and "ANYTUN_MTU" in its environment, and "ANYTUN_NETNS" with --netns.
    The way to set routes,
    forwarding or a firewall for the tunnel.`,
  "post-up-required": `The start waits for the program of --post-up-script, and
    fails if its exit status is not 0. Use it where a tunnel without these
    settings would be wrong.`,
  "down-script":
    `Runs this program at the end, before the device goes away, with
    the arguments and the environment of --post-up-script. The tunnel still
    carries meanwhile. The program has the rights of that one, too, and is outside
    of --chroot, also with --username: a process that has kept them since the
    start waits for the end to become the program, and can be told to do nothing
    else. After
    10 seconds the end goes on without it. A daemon that is killed runs no
    program. What both programs write comes into the log, line by line.`,
} satisfies Texts;
