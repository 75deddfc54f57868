/**
 * Stands between a daemon and the cable, as a router with address translation
 * does, and changes the daemon's public address at will. Runs on the host of
 * the daemon, as a script: `<port>`.
 *
 * The daemon talks to 127.0.0.1 at that port. Each line of standard input is
 * a {@link Way}: from then on datagrams leave from and to the addresses it
 * names, what still arrives at the former address is lost, and `took the way`
 * is printed. The first datagram of the daemon is shown as `saw <hex>`, as
 * somebody would see it who listens on the cable.
 */
import { Buffer } from "node:buffer";
import { createInterface } from "node:readline";
import process from "node:process";
import { say } from "./lab_say.ts";

/** How datagrams go from the relay to the other daemon. */
export interface Way {
  readonly from: Address;
  readonly to: Address;
  /** How many times each datagram is sent; once unless told. */
  readonly times?: number;
}

/** A UDP address. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

class Relay {
  readonly #inside: Deno.DatagramConn;
  #daemon: Deno.Addr | null = null;
  #outside: Deno.DatagramConn | null = null;
  #way: Way | null = null;

  constructor(port: number) {
    this.#inside = bind({ hostname: "127.0.0.1", port });
  }

  async run(): Promise<void> {
    for await (const [datagram, source] of this.#inside) {
      if (this.#daemon === null) {
        say(`saw ${Buffer.from(datagram).toString("hex")}`);
      }
      this.#daemon = source;
      if (!this.#outside || !this.#way) continue;
      const { to, times = 1 } = this.#way;
      for (let time = 0; time < times; time++) {
        await deliver(this.#outside, datagram, { ...to, transport: "udp" });
      }
    }
  }

  take(way: Way): void {
    this.#outside?.close();
    this.#outside = bind(way.from);
    this.#way = way;
    this.#return(this.#outside);
  }

  async #return(outside: Deno.DatagramConn): Promise<void> {
    for await (const [datagram] of outside) {
      if (this.#daemon) await deliver(this.#inside, datagram, this.#daemon);
    }
  }
}

function bind({ hostname, port }: Address): Deno.DatagramConn {
  return Deno.listenDatagram({ hostname, port, transport: "udp" });
}

/**
 * Sends a datagram. A router does not care that nobody listens there, nor that
 * the way has changed in the meantime.
 */
async function deliver(
  socket: Deno.DatagramConn,
  datagram: Uint8Array,
  to: Deno.Addr,
): Promise<void> {
  try {
    await socket.send(datagram, to);
  } catch (error) {
    const { BadResource, ConnectionRefused, Interrupted } = Deno.errors;
    const usual = [BadResource, ConnectionRefused, Interrupted];
    if (!usual.some((kind) => error instanceof kind)) throw error;
  }
}

if (import.meta.main) {
  const relay = new Relay(Number(Deno.args[0]));
  relay.run();
  for await (const line of createInterface({ input: process.stdin })) {
    relay.take(JSON.parse(line));
    say("took the way");
  }
}
