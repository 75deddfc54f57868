/**
 * Opens a device with several queues on a host of a lab, as a script: its
 * argument is a {@link QueueTask} as JSON. Prints a {@link QueueReport}.
 */
import { AF, SOCK } from "../../ffi/flags.ts";
import { openLibc } from "../../ffi/libc.ts";
import { openDevice, openSharedDevice } from "../../ffi/tuntap/open_device.ts";
import { TunTapError } from "../../ffi/tuntap/errors.ts";
import { Arena } from "../../ffi/memory.ts";
import { PacketPort } from "../../ffi/tuntap/packet_port.ts";
import { Offload } from "../../ffi/tuntap/vnet.ts";
import { setTimeout as delay } from "node:timers/promises";

/** Which device to open, and how many flows of UDP to look at. */
export interface QueueTask {
  readonly name: string;
  readonly readers: number;
  readonly writers: number;
  readonly flows: number;
}

/** What has been seen. */
export interface QueueReport {
  /** Where each flow was read. */
  readonly queues: readonly number[];
  /** How many flows were read elsewhere after an answer to them. */
  readonly moved: number;
  /** How many answers came. */
  readonly answered: number;
  /** Why nobody else can open the device, with one queue or several. */
  readonly second: Readonly<Record<"shared" | "plain", string>>;
  /** Whether it still has the offloads that it had before they tried. */
  readonly intact: boolean;
}

const FAR = "192.0.2.2";
const PORT = 7;
const ROOM = 2048;

// include/uapi/linux/sockios.h, ethtool.h
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GTXCSUM = 0x16;

const libc = openLibc();
const task: QueueTask = JSON.parse(Deno.args[0] ?? "");
const { name, readers, writers } = task;
using device = openSharedDevice(libc, { name }, { readers, writers });
device.configure({ addresses: ["192.0.2.1/24"], up: true });
const arena = new Arena(1);
const room = arena.take(ROOM);
const ports = device.queues.readFrom.map((from, k) =>
  new PacketPort(libc, arena, from, 1, device.queues.writeTo[k])
);

/** Sends a datagram to where the device leads, and finds it. */
async function find(
  socket: Deno.DatagramConn,
): Promise<{ readonly queue: number; readonly packet: Uint8Array }> {
  const to = { transport: "udp", hostname: FAR, port: PORT } as const;
  const payload = crypto.getRandomValues(new Uint8Array(16));
  await socket.send(payload, to);
  for (;;) {
    for (const [queue, port] of ports.entries()) {
      const size = port.read(room, ROOM);
      const packet = arena.slice(room, size).slice();
      if (size > 0 && packet.toHex().endsWith(payload.toHex())) {
        return { queue, packet };
      }
    }
    await delay(1);
  }
}

/** Addresses and ports change places, which no checksum takes note of. */
function answerTo(packet: Uint8Array): Uint8Array {
  const answer = packet.slice();
  answer.set(packet.subarray(16, 20), 12);
  answer.set(packet.subarray(12, 16), 16);
  answer.set(packet.subarray(22, 24), 20);
  answer.set(packet.subarray(20, 22), 22);
  return answer;
}

function whyNot(open: () => Disposable): string {
  try {
    open()[Symbol.dispose]();
    return "it can";
  } catch (error) {
    return error instanceof TunTapError ? error.code : `${error}`;
  }
}

/** Asks the kernel whether packets may come without a checksum. */
function leavesChecksums(): boolean {
  const value = arena.take(8);
  arena.view.setUint32(value, ETHTOOL_GTXCSUM, true);
  const request = arena.take(40);
  arena.bytes.set(new TextEncoder().encode(name), request);
  arena.storeAddress(request + 16, value);
  const { ioctl, socket, close } = libc.symbols;
  const fd = socket(AF.INET, SOCK.DGRAM, 0);
  const result = ioctl(fd, SIOCETHTOOL, arena.slice(request, 40));
  close(fd);
  if (result < 0) throw libc.error("ask for the offloads", "ioctl");
  return arena.view.getUint32(value + 4, true) !== 0;
}

const queues: number[] = [];
let moved = 0;
let answered = 0;
for (let flow = 0; flow < task.flows; flow++) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "192.0.2.1",
    port: 0,
  });
  const { queue, packet } = await find(socket);
  queues.push(queue);
  const answer = answerTo(packet);
  arena.bytes.set(answer, room);
  const { writeTo } = device.queues;
  const fd = writeTo[(queue + 1) % writeTo.length] ?? -1;
  new PacketPort(libc, arena, fd, 1).write(room, answer.length);
  await socket.receive();
  answered++;
  if ((await find(socket)).queue !== queue) moved++;
  socket.close();
}
device.negotiateOffloads(Offload.CSUM);
const hadOffloads = leavesChecksums();
const second = {
  shared: whyNot(() =>
    openSharedDevice(libc, { name }, { readers: 1, writers: 1 })
  ),
  plain: whyNot(() => openDevice(libc, { name })),
};
const report: QueueReport = {
  queues,
  moved,
  answered,
  second,
  intact: hadOffloads && leavesChecksums(),
};
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
