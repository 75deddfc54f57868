// Records of many clients, as a control daemon serves them.
import type { Route } from "../../src/route/route.ts";
import { encodeRecord } from "../../src/sync/encode.ts";

/** Bytes of keys and salts. */
const KEY_BYTES = 16;
const SALT_BYTES = 14;

/** Where the network of a client begins: 10.0.0.0 and 2001:db8::. */
const IPV4_BASE = 10 * 2 ** 24;
const IPV6_BASE = [0x20, 0x01, 0x0d, 0xb8];

/** The client that the probes go to; its records come last. */
export interface ProbedClient {
  readonly mux: number;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly salt: Uint8Array<ArrayBuffer>;
  /** Its IPv4 address. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A control file that can be changed in part: two routes for each client. */
export class Clients {
  readonly #connections: string[] = [];
  readonly #routes: string[] = [];
  readonly #probed: readonly string[];
  readonly probed: ProbedClient;

  constructor(count: number, address: Uint8Array<ArrayBuffer>) {
    this.probed = { mux: count, ...newSecrets(), bytes: address };
    this.#probed = [
      connection(count, this.probed),
      routeRecord({
        network: { family: 4, bytes: address },
        prefixLength: 32,
        mux: count,
      }),
    ];
    for (let mux = 0; mux < count; mux++) this.#route(mux, mux);
    this.renewKeys(count);
  }

  /** New keys for the first of them. */
  renewKeys(count: number): void {
    for (let mux = 0; mux < count; mux++) {
      this.#connections[mux] = connection(mux, newSecrets());
    }
  }

  /** Leads so many networks, evenly spread, to another client. */
  moveRoutes(count: number): void {
    const all = this.#routes.length / 2;
    const step = Math.max(1, Math.floor(all / count));
    const turn = ++this.#turn;
    for (let moved = 0; moved < count; moved++) {
      const network = moved * step % all;
      this.#route(network, (network + turn) % all);
    }
  }
  #turn = 0;

  text(): string {
    return [...this.#connections, ...this.#routes, ...this.#probed, ""]
      .join("\n");
  }

  #route(network: number, mux: number): void {
    // A hole beside each, so that no two of them are one range.
    const number = IPV4_BASE + network * 2;
    const ipv4 = Uint8Array.of(
      number / 2 ** 24,
      number >>> 16,
      number >>> 8,
      number,
    );
    const ipv6 = new Uint8Array(16);
    ipv6.set(IPV6_BASE);
    new DataView(ipv6.buffer).setUint32(4, number * 2);
    this.#routes[2 * network] = routeRecord({
      network: { family: 4, bytes: ipv4 },
      prefixLength: 32,
      mux,
    });
    this.#routes[2 * network + 1] = routeRecord({
      network: { family: 6, bytes: ipv6 },
      prefixLength: 64,
      mux,
    });
  }
}

function newSecrets() {
  return {
    key: crypto.getRandomValues(new Uint8Array(KEY_BYTES)),
    salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)),
  };
}

function connection(
  mux: number,
  { key, salt }: Pick<ProbedClient, "key" | "salt">,
): string {
  return encodeRecord({
    command: "connection",
    mux,
    role: "left",
    secrets: { key, salt },
    windowSize: 64,
    seq: 0,
    endpoint: { address: { family: 4, bytes: new Uint8Array(4) }, port: 0 },
  });
}

function routeRecord(route: Route): string {
  return encodeRecord({ command: "route", ...route });
}
