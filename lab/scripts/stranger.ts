/**
 * Another user of a lab's host, who is trusted with nothing. Runs as a script,
 * and becomes that user before it does anything:
 *
 * - `take <place>` connects, and prints what it gets, or why nothing.
 * - `hold <place> <number>` connects as often, and stays as long as it can.
 * - `crowd <place>` connects again and again, stays as long as it can, and prints
 *   how often it has.
 * - `serve <place> <text>` listens, and says the text to whoever connects.
 *
 * A place is `<address> <port>`, or the path of a unix socket and `-`.
 */
import { changeIdentity } from "../../ffi/process/identity.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { LocalStreams } from "../../src/daemon/local_streams.ts";
import { parseAddress } from "../../src/net/address.ts";
import { connectTcp } from "../deno_tcp.ts";
import type { SyncStream } from "../../src/sync/streams.ts";
import { say } from "./say.ts";

/** The user, and its only group; not one that the tests use otherwise. */
export const STRANGER = 65534;

const never = new AbortController().signal;
const libc = openProcessLibc();
const local = new LocalStreams(libc);
const streams = local.openUnixStreams();

async function connect(host: string, port: string): Promise<SyncStream> {
  const address = parseAddress(host);
  return address === undefined
    ? streams.connect({ path: host })
    : await connectTcp({ address, port: Number(port) }, never);
}

/** How many bytes come until the end. */
async function sizeOf(stream: SyncStream): Promise<number> {
  const chunk = new Uint8Array(1 << 16);
  let size = 0;
  for (;;) {
    const count = await stream.read(chunk).catch(() => null);
    if (count === null) return size;
    size += count;
    say(`has got ${size} bytes`);
  }
}

async function take(host: string, port: string): Promise<void> {
  try {
    const stream = await connect(host, port);
    say("connected");
    say(`the end after ${await sizeOf(stream)} bytes`);
  } catch (error) {
    say(`not connected: ${error instanceof Error ? error.message : error}`);
  }
}

async function hold(host: string, port: string, count: number): Promise<void> {
  const held = [];
  for (let i = 0; i < count; i++) held.push(await connect(host, port));
  say("holding");
  await Promise.all(held.map(sizeOf));
  say("let go");
}

async function crowd(host: string, port: string): Promise<void> {
  const ignored = new Uint8Array(1);
  for (let count = 1;; count++) {
    const stream = await connect(host, port);
    void stream.read(ignored).catch(() => {}).finally(() => stream.close());
    if (count % 100 === 0) say(`opened ${count}`);
  }
}

async function serve(host: string, port: string, text: string): Promise<void> {
  const address = parseAddress(host);
  const listener = address === undefined
    ? streams.listen({ path: host })
    : local.listenTcp({ address, port: Number(port) });
  say("listening");
  for (;;) {
    const stream = await listener.accept();
    say("somebody has come");
    await stream.write(new TextEncoder().encode(text)).catch(() => {});
  }
}

if (import.meta.main) {
  changeIdentity(libc, { uid: STRANGER, gid: STRANGER });
  const [mode, host = "", port = "", rest = ""] = Deno.args;
  if (mode === "take") await take(host, port);
  else if (mode === "hold") await hold(host, port, Number(rest));
  else if (mode === "crowd") await crowd(host, port);
  else await serve(host, port, rest);
}
