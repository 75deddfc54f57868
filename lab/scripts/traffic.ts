/**
 * Makes traffic between two hosts of a lab and checks what arrives. Runs on a
 * host of its own, as a script:
 *
 * - `serve <port>` answers UDP datagrams with themselves, and a TCP stream
 *   with a {@link Verdict} once it has ended; says `serving` when ready
 * - `send <host> <port> <bytes> <seconds> [<bytes per second>]` sends random
 *   bytes over TCP until so many are sent or so much time is over, or with
 *   `Infinity` seconds until it is told a line; prints a {@link CopyReport}
 * - `probe <host> <port> <count>` sends UDP datagrams one after the other and
 *   waits for each to come back; prints a {@link ProbeReport}
 */
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./say.ts";
import { RandomStream } from "./random_stream.ts";

/** What `send` prints, as one line of JSON. */
export interface CopyReport {
  readonly bytes: number;
  /** From the first byte sent to the answer of the receiver. */
  readonly seconds: number;
  /** Whether the receiver got exactly the bytes that were sent. */
  readonly intact: boolean;
}

/** What `probe` prints, as one line of JSON. */
export interface ProbeReport {
  /** Round trips in milliseconds, in order. */
  readonly milliseconds: readonly number[];
}

/** What a receiver answers, as JSON. */
interface Verdict {
  /** Bytes that came. */
  readonly bytes: number;
  /** Whether each of them was the right one. */
  readonly same: boolean;
}

/** How many bytes are handed to TCP at a time, at most. */
const CHUNK = 65536;

/** After so long without an answer a probe counts as lost and is repeated. */
const PROBE_MILLISECONDS = 200;

/** After so many losses in a row nobody is there. */
const PROBE_LOSSES = 50;

async function serve(port: number): Promise<void> {
  const listener = Deno.listen({ hostname: "::", port });
  const socket = Deno.listenDatagram({
    hostname: "::",
    port,
    transport: "udp",
  });
  say("serving");
  await Promise.all([judgeAll(listener), echoAll(socket)]);
}

async function judgeAll(listener: Deno.Listener): Promise<void> {
  for await (const connection of listener) {
    judge(connection).catch((error) => say(`${error}`));
  }
}

/** A connection begins with the seed of what follows. */
async function judge(connection: Deno.Conn): Promise<void> {
  using stream = connection;
  const seed = RandomStream.newSeed();
  for (let done = 0; done < seed.length;) {
    done += await stream.read(seed.subarray(done)) ?? Infinity;
  }
  const expected = await RandomStream.of(seed);
  const chunk = new Uint8Array(CHUNK);
  let same = true;
  for (;;) {
    const size = await stream.read(chunk);
    if (size === null) break;
    same = expected.continuesWith(chunk.subarray(0, size)) && same;
  }
  const verdict: Verdict = { bytes: expected.position, same };
  await writeAll(stream, new TextEncoder().encode(JSON.stringify(verdict)));
}

async function writeAll(stream: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await stream.write(bytes.subarray(done));
  }
}

async function echoAll(socket: Deno.DatagramConn): Promise<void> {
  for await (const [datagram, source] of socket) {
    await socket.send(datagram, source);
  }
}

async function send(
  hostname: string,
  port: number,
  bytes: number,
  seconds: number,
  bytesPerSecond: number,
): Promise<CopyReport> {
  const seed = RandomStream.newSeed();
  const random = await RandomStream.of(seed);
  using stream = await Deno.connect({ hostname, port });
  const start = performance.now();
  const late = start + seconds * 1000;
  await writeAll(stream, seed);
  let isOver = false;
  const told = seconds < Infinity
    ? undefined
    : Deno.stdin.read(new Uint8Array(1)).then(() => isOver = true);
  while (!isOver && random.position < bytes && performance.now() < late) {
    await writeAll(stream, random.next(bytes - random.position));
    const ahead = random.position / bytesPerSecond * 1000 + start -
      performance.now();
    if (ahead > 0) await delay(ahead);
  }
  await told;
  await stream.closeWrite();
  const verdict: Verdict = await new Response(stream.readable).json();
  const sent = random.position;
  return {
    bytes: sent,
    seconds: (performance.now() - start) / 1000,
    intact: verdict.same && verdict.bytes === sent,
  };
}

async function probe(
  hostname: string,
  port: number,
  count: number,
): Promise<ProbeReport> {
  const socket = Deno.listenDatagram({
    hostname: hostname.includes(":") ? "::" : "0.0.0.0",
    port: 0,
    transport: "udp",
  });
  const answers = new Answers(socket);
  const milliseconds: number[] = [];
  for (let number = 0, losses = 0; milliseconds.length < count; number++) {
    const start = performance.now();
    const answer = answers.to(number);
    await socket.send(numbered(number), { hostname, port, transport: "udp" });
    if (await answer) {
      milliseconds.push(performance.now() - start);
      losses = 0;
    } else if (++losses === PROBE_LOSSES) {
      throw new Error(`Cannot reach ${hostname} port ${port}: no answer`);
    }
  }
  socket.close();
  return { milliseconds };
}

function numbered(number: number): Uint8Array {
  const datagram = new DataView(new ArrayBuffer(4));
  datagram.setUint32(0, number);
  return new Uint8Array(datagram.buffer);
}

/** Tells which probes came back. */
class Answers {
  #number = -1;
  #arrived = (): void => {};

  constructor(socket: Deno.DatagramConn) {
    this.#receive(socket);
  }

  /** Tells whether the probe of that number, sent next, is back in time. */
  to(number: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), PROBE_MILLISECONDS);
    this.#number = number;
    this.#arrived = () => {
      clearTimeout(timer);
      resolve(true);
    };
    return promise;
  }

  async #receive(socket: Deno.DatagramConn): Promise<void> {
    for await (const [datagram] of socket) {
      const { buffer, byteOffset } = datagram;
      const number = new DataView(buffer, byteOffset).getUint32(0);
      if (number === this.#number) this.#arrived();
    }
  }
}

if (import.meta.main) {
  const [command, ...args] = Deno.args;
  const [host = "", ...numbers] = args;
  const [port = 0, amount = 0, seconds = 0, pace = Infinity] = numbers.map(
    Number,
  );
  switch (command) {
    case "serve":
      await serve(Number(host));
      break;
    case "send":
      say(JSON.stringify(await send(host, port, amount, seconds, pace)));
      break;
    case "probe":
      say(JSON.stringify(await probe(host, port, amount)));
      break;
    default:
      throw new Error(`Cannot do ${command}: not serve, send or probe`);
  }
}
