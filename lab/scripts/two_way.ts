/**
 * One end of a flow of numbered datagrams in both directions. Runs on two hosts
 * of a lab, as a script: `<port> <other host> <interval in ms>` says `flowing`
 * and sends to the same port of the other host. Of standard input it takes, one
 * a line,
 *
 * - `sent`: it prints the number of datagrams that it has sent so far
 * - `through <number>`: it waits until everything has come that the other end
 *   has sent before that number, but not for ever, and says so
 * - `report <number>`: it waits for what the other end has sent, but for
 *   datagrams from that number on, and prints a {@link WayReport} about what
 *   came since the line before
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./say.ts";

/** What `report` prints, as one line of JSON. */
export interface WayReport {
  readonly sent: number;
  readonly lost: number;
  /** The longest time that was lost as a whole, in ms. */
  readonly gap: number;
}

/**
 * What is missing while something has come that was sent so much later is lost,
 * in ms. The two may have come by different servers, of which a busy host has
 * held up one.
 */
const LATER_MS = 3000;

/** If nothing comes that was sent later, in ms. */
const PATIENCE_MS = 5000;

const LOOK_MS = 20;

/**
 * What a busy host has held up is not made up for at once: a daemon has little
 * room for what comes in one burst.
 */
const MOST_AT_ONCE = 50;

class End {
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  readonly #interval: number;
  readonly #came = new Set<number>();
  #sent = 0;
  #newest = -1;
  #from = 0;

  constructor(port: number, hostname: string, interval: number) {
    const transport = "udp";
    this.#socket = Deno.listenDatagram({
      hostname: "0.0.0.0",
      port,
      transport,
    });
    this.#to = { hostname, port, transport };
    this.#interval = interval;
  }

  get sent(): number {
    return this.#sent;
  }

  async send(): Promise<never> {
    let due = performance.now();
    for (;;) {
      const most = MOST_AT_ONCE * this.#interval;
      due = Math.max(due, performance.now() - most);
      while (due <= performance.now()) {
        due += this.#interval;
        const datagram = new Uint8Array(4);
        new DataView(datagram.buffer).setUint32(0, this.#sent++);
        // A host that says it has no way there has lost it.
        await this.#socket.send(datagram, this.#to).catch(() => {});
      }
      await delay(1);
    }
  }

  async receive(): Promise<void> {
    for await (const [datagram] of this.#socket) {
      const { buffer, byteOffset } = datagram;
      const number = new DataView(buffer, byteOffset).getUint32(0);
      this.#came.add(number);
      this.#newest = Math.max(this.#newest, number);
    }
  }

  async through(end: number): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (this.#missing(end).lost > 0 && performance.now() < giveUpAt) {
      await delay(LOOK_MS);
    }
  }

  async report(end: number): Promise<WayReport> {
    const later = end + LATER_MS / this.#interval;
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (
      this.#missing(end).lost > 0 && this.#newest < later &&
      performance.now() < giveUpAt
    ) await delay(LOOK_MS);
    const { lost, run } = this.#missing(end);
    const sent = end - this.#from;
    for (let number = this.#from; number < end; number++) {
      this.#came.delete(number);
    }
    this.#from = end;
    return { sent, lost, gap: run * this.#interval };
  }

  /** How many have not come, and how many of them in a row. */
  #missing(end: number): { lost: number; run: number } {
    let [lost, run, longest] = [0, 0, 0];
    for (let number = this.#from; number < end; number++) {
      run = this.#came.has(number) ? 0 : run + 1;
      lost += Math.min(run, 1);
      longest = Math.max(longest, run);
    }
    return { lost, run: longest };
  }
}

if (import.meta.main) {
  const [port, host = "", interval] = Deno.args;
  const end = new End(Number(port), host, Number(interval));
  void end.send();
  void end.receive();
  say("flowing");
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, number] = line.split(" ");
    if (what === "sent") say(`${end.sent}`);
    else if (what === "through") {
      await end.through(Number(number));
      say("through");
    } else say(JSON.stringify(await end.report(Number(number))));
  }
}
