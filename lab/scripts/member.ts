/**
 * Takes what a sync server has to tell, again and again. Runs on a host of a
 * lab, as a script: `<host> <port> <times>`. The first line of standard input
 * is a {@link TlsIdentity} as JSON, or `null` for plain TCP.
 *
 * Prints `got <milliseconds>` each time that a first byte has come, `failed
 * <why>` each time that none will come, and `done` at the end.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { parseAddress } from "../../src/net/address.ts";
import type { Endpoint } from "../../src/net/endpoint.ts";
import { connectTcp } from "../deno_tcp.ts";
import type { Connect } from "../../src/sync/streams.ts";
import { connectTls } from "../../src/sync/tls.ts";
import { say } from "./say.ts";

/** Much longer than it takes, so that a slow host decides nothing. */
const ANSWER_MS = 60_000;

async function take(
  connect: Connect<Endpoint>,
  host: string,
  port: number,
): Promise<void> {
  const address = parseAddress(host);
  if (address === undefined) throw new Error(`Cannot read address '${host}'`);
  const tooLate = AbortSignal.timeout(ANSWER_MS);
  const stream = await connect({ address, port }, tooLate);
  const close = () => stream.close();
  tooLate.addEventListener("abort", close);
  try {
    const size = await stream.read(new Uint8Array(1 << 16));
    if (size === null) throw new Error("the connection is closed");
  } finally {
    tooLate.removeEventListener("abort", close);
    close();
  }
}

if (import.meta.main) {
  const [host = "", port, times] = Deno.args;
  const lines = createInterface({ input: process.stdin });
  const { value } = await lines[Symbol.asyncIterator]().next();
  const identity = JSON.parse(value ?? "null");
  const connect = identity ? connectTls(connectTcp, identity) : connectTcp;
  for (let time = 0; time < Number(times); time++) {
    const began = performance.now();
    try {
      await take(connect, host, Number(port));
      say(`got ${Math.round(performance.now() - began)}`);
    } catch (error) {
      say(`failed ${error instanceof Error ? error.message : error}`);
    }
  }
  say("done");
  lines.close();
}
