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

function open(port: number): Deno.DatagramConn {
  const transport = "udp";
  return Deno.listenDatagram({ transport, hostname: "0.0.0.0", port });
}

async function look(port: number): Promise<void> {
  const sightings = new Sightings();
  const socket = open(port);
  const looking = async () => {
    for await (const [datagram] of socket) sightings.take(datagram);
  };
  void looking();
  say("looking");
  for await (const _ of createInterface({ input: process.stdin })) {
    sightings.report();
  }
  socket.close();
}

async function load(hostname: string, port: number): Promise<void> {
  const socket = open(0);
  const to = { transport: "udp", hostname, port } as const;
  const payload = new Uint8Array(PAYLOAD_BYTES);
  for (;;) {
    for (let k = 0; k < BURST; k++) {
      // Without the tunnel there is no way there.
      await socket.send(payload, to).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

if (import.meta.main) {
  const [what, first = "", second] = Deno.args;
  if (what === "look") await look(Number(first));
  else await load(first, Number(second));
}
