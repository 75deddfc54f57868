/**
 * Sends runs of UDP datagrams of equal size, each run as one message to the
 * kernel (UDP_SEGMENT, udp(7)), and checks what arrives. Runs on a host of a
 * lab, as a script:
 *
 * - `receive <port> <size>` says `receiving`; when the sender has finished it
 *   prints a {@link RunsReport}
 * - `send <host> <port> <size> <runs>` sends so many runs of datagrams of so
 *   many bytes, the last of each run shorter; says `sent <datagrams>`
 *
 * A datagram is its number in four bytes, and bytes that follow from it. The
 * receiver sends the shorter ones back, for which the sender waits: what is
 * lost then is lost in the tunnel, not for want of buffers.
 */
import { openLibc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { SOCKADDR_SIZE, writeSockaddr } from "../../ffi/net/sockaddr.ts";
import { UdpSocket } from "../../ffi/net/udp.ts";
import { UdpSender } from "../../ffi/net/udp_batches.ts";
import { parseAddress } from "../../src/net/address.ts";
import { say } from "./say.ts";
import { RandomStream } from "./random_stream.ts";

/** What `receive` prints, as one line of JSON. */
export interface RunsReport {
  /** Datagrams that came, whatever their state. */
  readonly received: number;
  /** Those among them with a wrong size or wrong bytes. */
  readonly corrupted: number;
  /** Those that came a second time, or after a later one. */
  readonly disordered: number;
}

/** Datagrams in a run; with the largest size it still fits one message. */
const RUN = 40;

const NUMBER_BYTES = 4;

/** The number of the datagram that ends it all. */
const FINISH = 0xffffffff;

/** Where the sender gets answers. */
const ANSWER_PORT = 7777;

/** After so long without an answer a run counts as lost. */
const ANSWER_MILLISECONDS = 500;

/** Without so many answers in a row nobody is there. */
const MOST_SILENCES = 20;

/** What the datagrams hold, known to both ends. */
function contents(): Promise<RandomStream> {
  return RandomStream.of(new TextEncoder().encode("runs of one size"));
}

/** Bytes of the datagram of a number. */
function sizeOf(number: number, full: number): number {
  return number % RUN === RUN - 1 ? full >>> 1 : full;
}

class Tally {
  readonly #random: RandomStream;
  readonly #size: number;
  #received = 0;
  #corrupted = 0;
  #disordered = 0;
  #highest = -1;

  constructor(random: RandomStream, size: number) {
    this.#random = random;
    this.#size = size;
  }

  get report(): RunsReport {
    return {
      received: this.#received,
      corrupted: this.#corrupted,
      disordered: this.#disordered,
    };
  }

  add(number: number, datagram: Uint8Array): void {
    this.#received++;
    if (number <= this.#highest) this.#disordered++;
    this.#highest = Math.max(this.#highest, number);
    const size = sizeOf(number, this.#size);
    const rest = this.#random.chunk(number, size - NUMBER_BYTES);
    const right = datagram.length === size &&
      rest.every((byte, i) => byte === datagram[NUMBER_BYTES + i]);
    if (!right) this.#corrupted++;
  }
}

async function receive(port: number, size: number): Promise<void> {
  const hostname = "::";
  const socket = Deno.listenDatagram({ hostname, port, transport: "udp" });
  const tally = new Tally(await contents(), size);
  say("receiving");
  for await (const [datagram, source] of socket) {
    const { buffer, byteOffset } = datagram;
    const number = new DataView(buffer, byteOffset).getUint32(0);
    if (number !== FINISH) {
      tally.add(number, datagram);
      if (datagram.length === size) continue;
    }
    const { hostname } = source as Deno.NetAddr;
    const to = { hostname, port: ANSWER_PORT, transport: "udp" } as const;
    await socket.send(datagram.subarray(0, NUMBER_BYTES), to);
    if (number === FINISH) break;
  }
  say(JSON.stringify(tally.report));
}

class RunSender {
  readonly #arena = new Arena(1 << 18);
  readonly #socket: UdpSocket;
  readonly #sender: UdpSender;
  readonly #random: RandomStream;
  readonly #size: number;
  readonly #destination: number;
  readonly #slots: readonly number[];

  constructor(
    random: RandomStream,
    address: Uint8Array,
    port: number,
    size: number,
  ) {
    const libc = openLibc();
    const any = new Uint8Array(address.length);
    this.#random = random;
    this.#size = size;
    this.#socket = UdpSocket.open(libc, { address: any, port: 0, scope: 0 });
    this.#sender = new UdpSender(libc, this.#arena, {
      messages: 1,
      pieces: RUN,
    });
    this.#destination = this.#arena.take(SOCKADDR_SIZE);
    const destination = { address, port, scope: 0 };
    writeSockaddr(this.#arena.view, this.#destination, destination);
    this.#slots = Array.from({ length: RUN }, () => this.#arena.take(size));
  }

  /** @returns The number of the last datagram. */
  sendRun(run: number): number {
    this.#sender.clear();
    this.#sender.begin(this.#destination, this.#size);
    for (const [index, at] of this.#slots.entries()) {
      const number = run * RUN + index;
      const size = sizeOf(number, this.#size);
      this.#arena.view.setUint32(at, number);
      const rest = this.#random.chunk(number, size - NUMBER_BYTES);
      this.#arena.bytes.set(rest, at + NUMBER_BYTES);
      this.#sender.add(at, size);
    }
    this.#flush();
    return run * RUN + RUN - 1;
  }

  finish(): void {
    const at = this.#slots[0] ?? 0;
    this.#arena.view.setUint32(at, FINISH);
    this.#sender.clear();
    this.#sender.begin(this.#destination, 0);
    this.#sender.add(at, NUMBER_BYTES);
    this.#flush();
  }

  #flush(): void {
    const { fd } = this.#socket;
    if (this.#sender.send(fd, 0) === 1) return;
    throw new Error(`Cannot send a run: errno is ${this.#sender.errno}`);
  }
}

async function send(
  hostname: string,
  port: number,
  size: number,
  runs: number,
): Promise<number> {
  const address = parseAddress(hostname);
  if (address === undefined) throw new Error(`Cannot send to ${hostname}`);
  const answers = new Answers();
  const sender = new RunSender(await contents(), address.bytes, port, size);
  for (let run = 0, silences = 0; run < runs; run++) {
    const last = sender.sendRun(run);
    silences = await answers.has(last) ? 0 : silences + 1;
    if (silences === MOST_SILENCES) {
      throw new Error(`Cannot reach ${hostname}: nothing comes back`);
    }
  }
  // Where the receiver has had no turn for long there is no room for it yet.
  for (let time = 0; time < MOST_SILENCES; time++) {
    sender.finish();
    if (await answers.has(FINISH)) break;
  }
  answers.close();
  return runs * RUN;
}

/** What comes back from the receiver. */
class Answers {
  readonly #socket = Deno.listenDatagram({
    hostname: "::",
    port: ANSWER_PORT,
    transport: "udp",
  });
  #last = -1;
  #arrived = Promise.withResolvers<void>();

  constructor() {
    this.#receive();
  }

  /** Tells whether a number comes back in time. */
  async has(number: number): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#arrived.resolve();
    }, ANSWER_MILLISECONDS);
    while (this.#last !== number && !late) {
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
    clearTimeout(timer);
    return this.#last === number;
  }

  close(): void {
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    for await (const [datagram] of this.#socket) {
      const { buffer, byteOffset } = datagram;
      this.#last = new DataView(buffer, byteOffset).getUint32(0);
      this.#arrived.resolve();
    }
  }
}

if (import.meta.main) {
  const [command, ...args] = Deno.args;
  if (command === "receive") {
    const [port = 0, size = 0] = args.map(Number);
    await receive(port, size);
  } else {
    const [host = "", ...numbers] = args;
    const [port = 0, size = 0, runs = 0] = numbers.map(Number);
    say(`sent ${await send(host, port, size, runs)}`);
  }
}
