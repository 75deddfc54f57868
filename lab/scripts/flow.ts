/**
 * Asks a host that echoes UDP datagrams (`scripts/traffic.ts serve`) again and
 * again, and counts what does not come back. Runs on a host of a lab, as a
 * script: `<host> <port> <interval in ms>` says `flowing`, and after each line
 * of standard input prints a {@link FlowReport} about what was sent since the
 * line before, some of it after that line.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./say.ts";

/** Of its socket, so that others find what the kernel tells of it. */
export const FLOW_PORT = 7003;

/** What the script prints, as one line of JSON. */
export interface FlowReport {
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, in ms. */
  readonly gap: number;
}

/**
 * What is missing while something is back that was sent so much later is lost, in
 * ms. How long answers take says nothing: hosts of a lab share one machine.
 */
const LATER_MS = 500;

/** If nothing comes back that was sent later, in ms. */
const PATIENCE_MS = 5000;

const LOOK_MS = 20;

/** Sent after each line at least, so that some meet what happened before it. */
const LEAST_SENT = 50;

/** One flow of numbered datagrams. */
class Flow {
  readonly #socket = Deno.listenDatagram({
    hostname: "0.0.0.0",
    port: FLOW_PORT,
    transport: "udp",
  });
  readonly #missing = new Set<number>();
  #next = 0;
  #from = 0;
  #newest = -1;
  #heardAt = performance.now();
  #gap = 0;

  async send(hostname: string, port: number, interval: number): Promise<never> {
    void this.#receive();
    const start = performance.now();
    for (;;) {
      while (this.#next * interval <= performance.now() - start) {
        const datagram = new Uint8Array(4);
        new DataView(datagram.buffer).setUint32(0, this.#next);
        this.#missing.add(this.#next++);
        await this.#socket.send(datagram, { hostname, port, transport: "udp" })
          .catch(() => {});
      }
      await delay(1);
    }
  }

  async report(interval: number): Promise<FlowReport> {
    const least = this.#next + LEAST_SENT;
    while (this.#next < least) await delay(LOOK_MS);
    const end = this.#next;
    const later = end + LATER_MS / interval;
    const giveUpAt = performance.now() + PATIENCE_MS;
    const missing = () => [...this.#missing].filter((number) => number < end);
    while (
      missing().length > 0 && this.#newest < later &&
      performance.now() < giveUpAt
    ) await delay(LOOK_MS);
    const sent = end - this.#from;
    const lost = missing();
    for (const number of lost) this.#missing.delete(number);
    const gap = Math.round(this.#gap);
    this.#gap = 0;
    this.#from = end;
    return { sent, lost: lost.length, gap };
  }

  async #receive(): Promise<void> {
    for await (const [datagram] of this.#socket) {
      const { buffer, byteOffset } = datagram;
      const number = new DataView(buffer, byteOffset).getUint32(0);
      this.#missing.delete(number);
      this.#newest = Math.max(this.#newest, number);
      const now = performance.now();
      this.#gap = Math.max(this.#gap, now - this.#heardAt);
      this.#heardAt = now;
    }
  }
}

if (import.meta.main) {
  const [host = "", port, interval] = Deno.args;
  const flow = new Flow();
  void flow.send(host, Number(port), Number(interval));
  say("flowing");
  for await (const _ of createInterface({ input: process.stdin })) {
    say(JSON.stringify(await flow.report(Number(interval))));
  }
}
