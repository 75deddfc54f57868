/**
 * A server on the left with several clients on the right, each with a device
 * and a network of its own.
 *
 * @module
 */

import type { Sides } from "../../lab/lab.ts";
import { DEVICE, INNER_MTU } from "./tunnel.ts";
import { delay } from "../../src/net/delay.ts";

/**
 * Two for each processor, so that every worker has something to do; there are
 * networks for 64.
 */
export const FAN_CLIENTS = Math.min(
  Math.max(2 * navigator.hardwareConcurrency, 4),
  64,
);

/** The most that `--workers` takes. */
const MOST_WORKERS = 64;

const FIRST_SENDER_ID = 256;

/** How many workers are measured: 1, 2, 4 and so on, and all processors. */
export function workerCounts(processors: number): number[] {
  const most = Math.min(processors, MOST_WORKERS);
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}

/**
 * The options of a server with that many workers. Each needs a sender id of its
 * own to send: with the one of a member of a cluster a single worker would carry
 * the whole way out.
 */
export function fanServer(workers: number): string[] {
  const last = FIRST_SENDER_ID + workers - 1;
  return [
    ...["--workers", String(workers)],
    ...["--sender-id", `${FIRST_SENDER_ID}-${last}`],
  ];
}

/** The device of a client; the first has that of every tunnel. */
export function fanDevice(index: number): string {
  return index === 0 ? DEVICE.right : `${DEVICE.right}${index}`;
}

/** What is the server's (1) or the client's (2) in a client's network. */
function address(index: number, host: 1 | 2): string {
  return `198.51.100.${4 * index + host}`;
}

/** The address of a client inside the tunnel. */
export function fanClient(index: number): string {
  return address(index, 2);
}

/** What the server reaches through a client. */
export function fanNetwork(index: number): string {
  return `${fanClient(index)}/32`;
}

/** Gives all devices their addresses, and waits until each client answers. */
export async function configureFan({ left, right }: Sides): Promise<void> {
  for (let index = 1; index < FAN_CLIENTS; index++) {
    const device = fanDevice(index);
    while (!await right.hasDevice(device)) await delay(20);
    await right.address(device, `${address(index, 2)}/30`);
    await right.ip("link", "set", device, "mtu", String(INNER_MTU));
    await left.address(DEVICE.left, `${address(index, 1)}/30`);
    await left.ping(fanClient(index));
  }
}
