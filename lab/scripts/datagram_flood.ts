/**
 * Sends UDP datagrams without looking whether they arrive, or counts those
 * that do. Runs on a host of a lab, as a script:
 *
 * - `flood <host>` sends more than any link of a test takes, until it is
 *   ended; says `flooding`
 * - `count <port>` says `counting`; after each line of standard input it
 *   prints how many different ones of the numbered datagrams have come
 * - `number <host> <port> <count> <interval in ms>` sends so many numbered
 *   datagrams; says `sent`
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./say.ts";

/** Nobody listens there; what is said about that is not listened to either. */
const DISCARD_PORT = 9;

const FLOOD_BYTES = 1300;

/** Datagrams of the flood in a millisecond: some 40 Mbit/s. */
const FLOOD_AT_ONCE = 4;

function open(port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ hostname: "0.0.0.0", port, transport: "udp" });
}

async function flood(hostname: string): Promise<never> {
  const socket = open(0);
  const to = { hostname, port: DISCARD_PORT, transport: "udp" } as const;
  const datagram = new Uint8Array(FLOOD_BYTES);
  say("flooding");
  for (;;) {
    for (let k = 0; k < FLOOD_AT_ONCE; k++) {
      await socket.send(datagram, to).catch(() => {});
    }
    await delay(1);
  }
}

async function countArrivals(port: number): Promise<void> {
  const socket = open(port);
  const numbers = new Set<number>();
  void (async () => {
    for await (const [{ buffer, byteOffset }] of socket) {
      numbers.add(new DataView(buffer, byteOffset).getUint32(0));
    }
  })();
  say("counting");
  for await (const _ of createInterface({ input: process.stdin })) {
    say(String(numbers.size));
  }
}

async function number(
  hostname: string,
  port: number,
  count: number,
  interval: number,
): Promise<void> {
  const socket = open(0);
  const datagram = new DataView(new ArrayBuffer(4));
  for (let k = 0; k < count; k++) {
    datagram.setUint32(0, k);
    const bytes = new Uint8Array(datagram.buffer);
    await socket.send(bytes, { hostname, port, transport: "udp" });
    await delay(interval);
  }
  socket.close();
  say("sent");
}

if (import.meta.main) {
  const [command, host = "", ...rest] = Deno.args;
  const [port = 0, count = 0, interval = 0] = rest.map(Number);
  switch (command) {
    case "flood":
      await flood(host);
      break;
    case "count":
      await countArrivals(Number(host));
      break;
    case "number":
      await number(host, port, count, interval);
      break;
    default:
      throw new Error(`Cannot do ${command}: not flood, count or number`);
  }
}
