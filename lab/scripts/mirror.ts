/**
 * A device with offloads, and behind it a mirror: what the kernel sends there
 * comes back with its addresses exchanged, super-packets as one piece and
 * gathered from several places. Started by tests/e2e/vnet_test.ts inside a
 * network namespace; prints what it saw.
 */

import { openLibc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/tuntap/packet_port.ts";
import { SOCKADDR_SIZE, writeSockaddr } from "../../ffi/net/sockaddr.ts";
import { openDevice } from "../../ffi/tuntap/open_device.ts";
import { UdpSocket } from "../../ffi/net/udp.ts";
import { UdpSender } from "../../ffi/net/udp_batches.ts";
import { VNET_HEADER_SIZE } from "../../ffi/tuntap/vnet.ts";

/** A packet as the device handed it over, with fields of its virtio header. */
export interface SeenPacket {
  readonly protocol: number;
  readonly size: number;
  readonly flags: number;
  readonly gsoType: number;
  readonly gsoSize: number;
}

/** What the process prints, in JSON. */
export interface VnetReport {
  /** The offloads that the kernel has set. */
  readonly granted: number;
  /** Packets that the kernel sent to the mirror. */
  readonly seen: readonly SeenPacket[];
  /** Datagrams that came back, in hexadecimal. */
  readonly datagrams: readonly string[];
  /** Bytes that a TCP connection with itself carried through the mirror. */
  readonly streamBytes: number;
  /** Whether these came back as they were sent. */
  readonly streamIsIntact: boolean;
}

/** What the process is given as its argument, in JSON. */
export interface VnetTask {
  /** The offloads to ask for. */
  readonly offloads: number;
  /** Datagrams of a run, in hexadecimal; all of one size, but for the last. */
  readonly run: readonly string[];
  /** Bytes to send over TCP. */
  readonly streamBytes: number;
}

const OWN_ADDRESS = Uint8Array.of(192, 0, 2, 1);
const MIRRORED_ADDRESS = Uint8Array.of(192, 0, 2, 2);
const ROOM = 65536 + VNET_HEADER_SIZE;

const libc = openLibc();
const arena = new Arena(4 << 20);
const device = openDevice(libc, { name: "tun0", vnetHeader: true });
const port = new PacketPort(libc, arena, device.fd);
const buffer = arena.take(ROOM);
const seen: SeenPacket[] = [];

/** Sends every packet back, until the device is closed. */
async function mirror(): Promise<void> {
  while (await device.readable()) {
    for (let size; (size = port.read(buffer, ROOM)) > 0;) reflect(size);
  }
}

function reflect(size: number): void {
  const { view, bytes } = arena;
  const packet = buffer + VNET_HEADER_SIZE;
  if ((bytes[packet] ?? 0) >>> 4 !== 4) return;
  seen.push({
    protocol: bytes[packet + 9] ?? 0,
    size: size - VNET_HEADER_SIZE,
    flags: bytes[buffer] ?? 0,
    gsoType: bytes[buffer + 1] ?? 0,
    gsoSize: view.getUint16(buffer + 4, true),
  });
  // No checksum changes: it is a sum, and the addresses only change places.
  const source = view.getUint32(packet + 12);
  view.setUint32(packet + 12, view.getUint32(packet + 16));
  view.setUint32(packet + 16, source);
  if (!port.writeGathered(...pieces(size))) throw new Error("refused");
}

/** Cuts the buffer into five pieces, and copies the second elsewhere. */
function pieces(size: number): [Uint32Array, Uint32Array, number] {
  const ends = [1, 2, 3, 4, 5].map((k) => Math.floor((size * k) / 5));
  const starts = [0, ...ends];
  const at = Uint32Array.from(ends, (_, k) => buffer + (starts[k] ?? 0));
  const sizes = Uint32Array.from(ends, (end, k) => end - (starts[k] ?? 0));
  arena.bytes.copyWithin(elsewhere, at[1] ?? 0, ends[1] ? buffer + ends[1] : 0);
  arena.bytes.fill(0, at[1] ?? 0, buffer + (ends[1] ?? 0));
  at[1] = elsewhere;
  return [at, sizes, ends.length];
}

const elsewhere = arena.take(ROOM);

/** Sends a run to the mirrored address and returns what comes from there. */
async function exchangeDatagrams(run: readonly string[]): Promise<string[]> {
  const receiver = Deno.listenDatagram({
    transport: "udp",
    hostname: OWN_ADDRESS.join("."),
    port: 0,
  });
  const socket = UdpSocket.open(libc, {
    address: OWN_ADDRESS,
    port: 0,
    scope: 0,
  });
  const destination = arena.take(SOCKADDR_SIZE);
  const { port } = receiver.addr as Deno.NetAddr;
  const mirrored = { address: MIRRORED_ADDRESS, port, scope: 0 };
  writeSockaddr(arena.view, destination, mirrored);
  const sender = new UdpSender(libc, arena, { messages: 1, pieces: 64 });
  sender.begin(destination, (run[0]?.length ?? 0) / 2);
  for (const text of run) {
    const datagram = Uint8Array.fromHex(text);
    const at = arena.take(datagram.length);
    arena.bytes.set(datagram, at);
    sender.add(at, datagram.length);
  }
  if (sender.send(socket.fd, 0) !== 1) throw new Error(`${sender.errno}`);
  socket.close();
  const datagrams = [];
  for (const _ of run) datagrams.push((await receiver.receive())[0].toHex());
  receiver.close();
  return datagrams;
}

/** Connects to the mirrored address, which is to say to itself. */
async function exchangeStream(bytes: number) {
  using listener = Deno.listen({ hostname: OWN_ADDRESS.join("."), port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connecting = Deno.connect({
    hostname: MIRRORED_ADDRESS.join("."),
    port,
  });
  using accepted = await listener.accept();
  const connection = await connecting;
  const content = new Uint8Array(bytes).map((_, k) => (k * 7919) >>> 5);
  const sending = new Response(content).body?.pipeTo(connection.writable);
  const received = await new Response(accepted.readable).bytes();
  await sending;
  return {
    streamBytes: received.length,
    streamIsIntact: received.every((byte, k) => byte === content[k]),
  };
}

const task: VnetTask = JSON.parse(Deno.args[0] ?? "");
const granted = device.negotiateOffloads(task.offloads);
device.configure({ addresses: ["192.0.2.1/24"], mtu: 1400, up: true });
const mirroring = mirror();
const datagrams = await exchangeDatagrams(task.run);
const stream = await exchangeStream(task.streamBytes);
device.close();
await mirroring;
const report: VnetReport = { granted, seen, datagrams, ...stream };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
libc.close();
