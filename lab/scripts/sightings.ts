/**
 * Looks at every datagram of a tunnel for a sequence number that was there
 * before. Runs on a host of a lab, as a script:
 *
 * - `look <port>` receives; says `looking`, and after each line of standard
 *   input prints a {@link SightingReport}
 * - `load <host> <port>` sends bursts for the tunnel to carry, until it is
 *   stopped
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { MSG } from "../../ffi/flags.ts";
import { openLibc } from "../../ffi/libc.ts";
import { UdpSocket } from "../../ffi/net/udp.ts";
import { readMux, readSenderId, readSeq } from "../../src/satp/header.ts";
import { say } from "./say.ts";

/** What the script prints, as one line of JSON. */
export interface SightingReport {
  readonly received: number;
  /** Datagrams with a mux, sender id and number that came before. */
  readonly repeated: number;
  readonly senderIds: number;
}

const PAGE_BITS = 65536;
const BURST = 40;
const PAUSE_MS = 2;
const PAYLOAD_BYTES = 200;

/** Enough for seconds in which the machine is busy with other things. */
const BUFFER_BYTES = 32 << 20;
const MAX_DATAGRAM = 2048;

class Sightings {
  readonly #pages = new Map<string, Uint8Array>();
  readonly #senders = new Set<string>();
  #received = 0;
  #repeated = 0;

  take(datagram: Uint8Array): void {
    const sender = `${readMux(datagram, 0)} ${readSenderId(datagram, 0)}`;
    const seq = readSeq(datagram, 0);
    const name = `${sender} ${Math.floor(seq / PAGE_BITS)}`;
    const page = this.#pages.get(name) ?? new Uint8Array(PAGE_BITS);
    this.#pages.set(name, page);
    this.#senders.add(sender);
    this.#received++;
    this.#repeated += page[seq % PAGE_BITS] ?? 0;
    page[seq % PAGE_BITS] = 1;
  }

  report(): void {
    const [received, repeated] = [this.#received, this.#repeated];
    const senderIds = this.#senders.size;
    const report: SightingReport = { received, repeated, senderIds };
    say(JSON.stringify(report));
  }
}

/** Every datagram: what the kernel threw away would not have been looked at. */
async function look(port: number): Promise<void> {
  const sightings = new Sightings();
  const libc = openLibc();
  const any = { address: new Uint8Array(4), port, scope: 0 };
  const socket = UdpSocket.open(libc, any);
  socket.resizeBuffers({ send: 4096, receive: BUFFER_BYTES });
  const room = new Uint8Array(MAX_DATAGRAM);
  const drain = () => {
    const { recv } = libc.symbols;
    for (;;) {
      const size = recv(socket.fd, room, room.length, MSG.DONTWAIT);
      if (size < 0) return;
      sightings.take(room.subarray(0, size));
    }
  };
  const looking = setInterval(drain, 1);
  say("looking");
  for await (const _ of createInterface({ input: process.stdin })) {
    drain();
    sightings.report();
  }
  clearInterval(looking);
  socket.close();
  libc.close();
}

async function load(hostname: string, port: number): Promise<void> {
  const transport = "udp";
  const socket = Deno.listenDatagram({
    transport,
    hostname: "0.0.0.0",
    port: 0,
  });
  const to = { transport, hostname, port } as const;
  const payload = new Uint8Array(PAYLOAD_BYTES);
  for (;;) {
    for (let k = 0; k < BURST; k++) {
      // Without the tunnel there is no way there.
      await socket.send(payload, to).catch(() => {});
    }
    await delay(PAUSE_MS);
  }
}

if (import.meta.main) {
  const [what, first = "", second] = Deno.args;
  if (what === "look") await look(Number(first));
  else await load(first, Number(second));
}
