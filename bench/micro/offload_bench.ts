/**
 * The offloads of the data plane on one flow of full packets.
 *
 * @module
 */

import { openPacketMemory } from "../../src/offload/bytes.ts";
import {
  Coalescer,
  type GatherSink,
  SCRATCH_SIZE,
} from "../../src/offload/coalesce.ts";
import { Segmenter } from "../../src/offload/segment.ts";
import {
  counting,
  type IpFields,
  tcpPacket,
  timestamps,
  udpPacket,
} from "../../lab/packets.ts";
import { superPacket } from "../../lab/super_packets.ts";

const COUNT = 46;
const SEGMENT = 1348;
const SCRATCH = 0;
const SUPER = SCRATCH + SCRATCH_SIZE;
const SLOTS = SUPER + 65536;
const GAP = 20;

const wasm = new WebAssembly.Memory({ initial: 64, maximum: 64 });
const memory = openPacketMemory(wasm);
const bytes = new Uint8Array(wasm.buffer);
const payload = counting(COUNT * SEGMENT);
const sizes = new Uint32Array(COUNT);

function tcp(ip: IpFields): Uint8Array {
  return tcpPacket(ip, { options: timestamps(1), payload });
}

function udp(ip: IpFields): Uint8Array {
  return udpPacket(ip, { payload });
}

const cases: readonly [string, Uint8Array][] = [
  ["TCP/IPv4", tcp({ version: 4 })],
  ["TCP/IPv6", tcp({ version: 6 })],
  ["UDP/IPv4", udp({ version: 4 })],
];

const sink: GatherSink = { write: () => {} };
const coalescer = new Coalescer(memory, SCRATCH, sink, {
  ethernet: false,
  tcp: true,
  udp: true,
});
const segmenter = new Segmenter(memory, false, 1500);

for (const [name, packet] of cases) {
  const read = superPacket(packet, SEGMENT);
  const headers = read.slice(0, 128); // segmenting uses them up
  bytes.set(read, SUPER);

  Deno.bench(`segment ${COUNT} x ${SEGMENT} bytes`, { group: name }, () => {
    bytes.set(headers, SUPER);
    segmenter.begin(SUPER, read.length);
    segmenter.next(SLOTS, GAP, sizes, 0, COUNT);
  });

  Deno.bench(`coalesce ${COUNT} x ${SEGMENT} bytes`, { group: name }, () => {
    let at = SLOTS;
    for (const size of sizes) {
      coalescer.add(at, size);
      at += size + GAP;
    }
    coalescer.flush();
  });
}
