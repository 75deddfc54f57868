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
import { say } from "./say.ts";

/** How datagrams go from the relay to the other daemon. */
export interface Way {
  readonly from: Address;
  readonly to: Address;
  /** How many times each datagram is sent; once unless told. */
  readonly times?: number;
  /** Of so many datagrams one is lost and one overtaken by the next. */
  readonly harm?: number;
}

/** A UDP address. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Decides what becomes of the datagrams of one direction. */
class Fate {
  #count = 0;
  #late: Uint8Array | null = null;

  /** @returns What goes on its way now that a datagram has come. */
  of(datagram: Uint8Array, harm: number | undefined): readonly Uint8Array[] {
    const turn = harm === undefined ? harm : this.#count++ % harm;
    if (turn === 0) return [];
    const late = this.#late;
    this.#late = null;
    if (late !== null) return [datagram, late];
    if (turn !== 1) return [datagram];
    this.#late = datagram;
    return [];
  }
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
    const fate = new Fate();
    for await (const [datagram, source] of this.#inside) {
      if (this.#daemon === null) {
        say(`saw ${Buffer.from(datagram).toString("hex")}`);
      }
      this.#daemon = source;
      if (!this.#outside || !this.#way) continue;
      const { to, times = 1, harm } = this.#way;
      for (const one of fate.of(datagram, harm)) {
        for (let time = 0; time < times; time++) {
          await deliver(this.#outside, one, { ...to, transport: "udp" });
        }
      }
    }
  }

  take(way: Way): void {
    this.#outside?.close();
    this.#outside = bind(way.from);
    this.#way = way;
    this.#return(this.#outside, way.harm);
  }

  async #return(
    outside: Deno.DatagramConn,
    harm: number | undefined,
  ): Promise<void> {
    const fate = new Fate();
    for await (const [datagram] of outside) {
      for (const one of fate.of(datagram, harm)) {
        if (this.#daemon) await deliver(this.#inside, one, this.#daemon);
      }
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
