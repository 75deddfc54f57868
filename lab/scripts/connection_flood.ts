/**
 * Opens connections that never come to anything. Runs on a host of a lab, as a
 * script: `<hosts> <port> <per second> <beginning>`, the hosts with commas
 * between them and asked in turn.
 *
 * The beginning is what each connection sends before it goes silent: `nothing`,
 * `hello`, a client's whole first message of TLS, or `garbage`, random bytes;
 * `deaf` sends nothing, and does not read either. Says `flooding` when the
 * first hundred are open, and `opened <count>` for each line of standard input.
 */
import { connect as tlsConnect } from "node:tls";
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./say.ts";

const PAUSE_MS = 10;

const GARBAGE_BYTES = 65_536;

/** What node:tls sends first. */
async function clientHello(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const socket = tlsConnect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  using connection = await listener.accept();
  const bytes = new Uint8Array(1 << 14);
  const size = await connection.read(bytes) ?? 0;
  socket.destroy();
  return bytes.slice(0, size);
}

async function bytesOf(
  beginning: string | undefined,
): Promise<Uint8Array | undefined> {
  if (beginning === "hello") return await clientHello();
  if (beginning !== "garbage") return undefined;
  return crypto.getRandomValues(new Uint8Array(GARBAGE_BYTES));
}

class Flood {
  readonly #hosts: readonly string[];
  readonly #port: number;
  readonly #beginning: Uint8Array | undefined;
  readonly #reads: boolean;
  #started = 0;
  opened = 0;

  constructor(
    hosts: readonly string[],
    port: number,
    beginning: Uint8Array | undefined,
    reads: boolean,
  ) {
    this.#hosts = hosts;
    this.#port = port;
    this.#beginning = beginning;
    this.#reads = reads;
  }

  async run(perSecond: number): Promise<void> {
    const began = performance.now();
    for (;;) {
      const due = (performance.now() - began) / 1000 * perSecond;
      // What could not be opened in time is not made up for.
      this.#started = Math.max(this.#started, due - perSecond);
      while (this.#started < due) this.#open();
      await delay(PAUSE_MS);
    }
  }

  #open(): void {
    const hostname =
      this.#hosts[Math.floor(this.#started) % this.#hosts.length];
    this.#started++;
    // Whatever becomes of it, there are more.
    this.#stay(hostname ?? "").catch(() => {});
  }

  async #stay(hostname: string): Promise<void> {
    const port = this.#port;
    using connection = await Deno.connect({ hostname, port });
    this.opened++;
    if (this.opened === 100) say("flooding");
    if (this.#beginning) await connection.write(this.#beginning);
    if (!this.#reads) await new Promise(() => {});
    const ignored = new Uint8Array(4096);
    while (await connection.read(ignored) !== null);
  }
}

if (import.meta.main) {
  const [hosts = "", port, perSecond, beginning] = Deno.args;
  const flood = new Flood(
    hosts.split(","),
    Number(port),
    await bytesOf(beginning),
    beginning !== "deaf",
  );
  void flood.run(Number(perSecond));
  for await (const _ of createInterface({ input: process.stdin })) {
    say(`opened ${flood.opened}`);
  }
}
