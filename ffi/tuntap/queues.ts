// Queues of a TUN or TAP device (IFF_MULTI_QUEUE), for several threads.
//
// By itself the kernel hands packets of a flow to the queue that the other
// direction was last written to, and moves the flow whenever that changes:
// packets overtake each other then. Of what is written to a detached queue it
// takes no note, so that the hash of a flow alone decides (tun_get_user() and
// tun_automq_select_queue() in drivers/net/tun.c).

import { Ioctl } from "../flags.ts";
import { Ifreq } from "./ifreq.ts";
import type { Libc } from "../libc.ts";
import { TunTapError } from "./errors.ts";
import { attributeOf, numberOf, RouteSocket } from "./rtnetlink.ts";

// include/uapi/linux/if_tun.h
const IFF_DETACH_QUEUE = 0x400;

// include/uapi/linux/if_link.h
const IFLA_LINKINFO = 18;
const IFLA_INFO_DATA = 2;
const IFLA_TUN_NUM_QUEUES = 8;
const IFLA_TUN_NUM_DISABLED_QUEUES = 9;

/** File descriptors: packets are read from some, and written to others. */
export interface DeviceQueues {
  readonly readFrom: readonly number[];
  readonly writeTo: readonly number[];
}

/** From now on no packet comes there, but what is written is taken. */
export function detachQueue(libc: Libc, fd: number): void {
  const ifreq = new Ifreq("");
  ifreq.flags = IFF_DETACH_QUEUE;
  if (libc.symbols.ioctl(fd, Ioctl.TUNSETQUEUE, ifreq.bytes) >= 0) return;
  const cause = libc.error("detach a queue of the device", "ioctl");
  throw new TunTapError("failed", cause.message, { cause });
}

/**
 * How many queues the programs that use the device have; undefined where the
 * kernel does not say (before Linux 4.20).
 */
export function countQueues(
  libc: Libc,
  name: string,
  index: number,
): number | undefined {
  using socket = new RouteSocket(libc);
  const link = socket.link(`look at ${name}`, index);
  const info = attributeOf(link, IFLA_LINKINFO);
  const data = info && attributeOf(info, IFLA_INFO_DATA);
  const attached = data && numberOf(data, IFLA_TUN_NUM_QUEUES);
  const detached = data && numberOf(data, IFLA_TUN_NUM_DISABLED_QUEUES);
  return attached === undefined || detached === undefined
    ? undefined
    : attached + detached;
}
