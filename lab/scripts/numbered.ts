/**
 * Sends numbered datagrams back and forth, and looks whether they keep their
 * order. Runs on a host of a lab, as a script:
 *
 * - `echo <port>` answers datagrams with themselves; says `echoing`, and after
 *   each line of standard input prints an {@link OrderReport}
 * - `ask <port> <flows> <rounds> <host>...` sends bursts in several flows to
 *   each host and waits for the answers, or for the lack of them; prints an
 *   {@link OrderReport} about the answers
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { say } from "./say.ts";

/** What the script prints, as one line of JSON. */
export interface OrderReport {
  readonly received: number;
  /** Those that came behind a later one of their flow. */
  readonly late: number;
}

const BURST = 40;
const DATAGRAM_BYTES = 1200;

/** After so long without an answer the rest of a burst is lost, in ms. */
const SILENCE_MS = 500;

class Order {
  received = 0;
  late = 0;
  readonly #highest = new Map<string, number>();

  take(flow: string, { buffer, byteOffset }: Uint8Array): void {
    const number = new DataView(buffer, byteOffset).getUint32(0);
    const highest = this.#highest.get(flow) ?? -1;
    this.received++;
    if (number <= highest) this.late++;
    else this.#highest.set(flow, number);
  }

  report(): void {
    const { received, late } = this;
    say(JSON.stringify({ received, late } satisfies OrderReport));
  }
}

async function echo(port: number): Promise<void> {
  const order = new Order();
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "0.0.0.0",
    port,
  });
  const answering = async () => {
    for await (const [datagram, source] of socket) {
      order.take(JSON.stringify(source), datagram);
      await socket.send(datagram, source);
    }
  };
  void answering();
  say("echoing");
  for await (const _ of createInterface({ input: process.stdin })) {
    order.report();
  }
  socket.close();
}

async function askIn(
  flow: number,
  to: Deno.NetAddr,
  rounds: number,
  order: Order,
): Promise<void> {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "0.0.0.0",
    port: 0,
  });
  let open = 0;
  let wake = Promise.withResolvers<void>();
  const receiving = async () => {
    for await (const [datagram] of socket) {
      order.take(`${flow}`, datagram);
      open--;
      wake.resolve();
    }
  };
  void receiving();
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < BURST; k++) {
      const datagram = new Uint8Array(DATAGRAM_BYTES);
      new DataView(datagram.buffer).setUint32(0, round * BURST + k);
      open++;
      await socket.send(datagram, to);
    }
    while (open > 0) {
      const silence = setTimeout(() => {
        open = 0;
        wake.resolve();
      }, SILENCE_MS);
      await wake.promise;
      clearTimeout(silence);
      wake = Promise.withResolvers();
    }
  }
  socket.close();
}

if (import.meta.main) {
  const [what, port, flows, rounds, ...hosts] = Deno.args;
  if (what === "echo") await echo(Number(port));
  else {
    const order = new Order();
    const asking = hosts.flatMap((hostname, host) =>
      Array.from({ length: Number(flows) }, (_, k) => {
        const to = { transport: "udp", hostname, port: Number(port) } as const;
        const flow = host * Number(flows) + k;
        return askIn(flow, to, Number(rounds), order);
      })
    );
    await Promise.all(asking);
    order.report();
    Deno.exit();
  }
}
