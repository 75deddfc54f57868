import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ACK,
  counting,
  ipPacket,
  layoutOf,
  PSH,
  tcpPacket,
  timestamps,
  udpPacket,
  writeNetworkChecksum,
} from "../../lab/packets.ts";
import { hex } from "../fakes/packet_memory.ts";
import { coalesce } from "../fakes/recording_sink.ts";
import { segmentsOf } from "../../lab/super_packets.ts";

/** What may become of the next packet of a flow. */
const EVENTS = [
  "push",
  "short",
  "long",
  "empty",
  "acknowledge",
  "window",
  "urgent",
  "timestamp",
  "mark",
  "hop",
  "gap",
  "again",
  "flags",
  "spoil",
  "unsummed",
  "options",
  "fragment",
  "identify",
  "pad",
] as const;

type Event = "next" | typeof EVENTS[number];

const event = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Event>("next") },
  { weight: 1, arbitrary: fc.constantFrom<Event>(...EVENTS) },
);

const flow = fc.record({
  version: fc.constantFrom<4 | 6>(4, 6),
  protocol: fc.constantFrom("tcp", "udp"),
  /** The IPv4 identification counts, or stays the same. */
  counts: fc.boolean(),
  size: fc.oneof(fc.integer({ min: 2, max: 40 }), fc.constant(1348)),
  sequence: fc.nat(0xffff_ffff),
  id: fc.nat(0xffff),
  events: fc.array(event, { minLength: 1, maxLength: 80 }),
});

type Flow = typeof flow extends fc.Arbitrary<infer T> ? T : never;
type Link = "none" | "ethernet" | "vlan";

/** A sender: the packets of a flow as its events have them. */
function packetsOf(flow: Flow, host: number, link: Link): Uint8Array[] {
  const { version, size } = flow;
  const tcp = { acknowledgement: 9, window: 500, urgent: 0 };
  const ip = { version, host, link, tos: 0, hopLimit: 64 };
  let { sequence, id } = flow;
  let clock = 0;
  return flow.events.map((event) => {
    if (event === "acknowledge") tcp.acknowledgement++;
    if (event === "window") tcp.window++;
    if (event === "urgent") tcp.urgent++;
    if (event === "mark") ip.tos ^= 3;
    if (event === "hop") ip.hopLimit--;
    if (event === "timestamp") clock++;
    if (event === "gap") sequence += size;
    if (event === "again") sequence -= size;
    if (event === "identify") id += 2;
    const resized = { short: size - 1, long: size + 1, empty: 0 };
    const payload = counting(
      event === "short" || event === "long" || event === "empty"
        ? resized[event]
        : size,
      sequence,
    );
    const fields = {
      ...ip,
      id: id & 0xffff,
      fragment: event === "fragment" ? 0x2000 : 0x4000,
      optionBytes: event === "options" ? 8 : 0,
    };
    id += flow.counts ? 1 : 0;
    const flags = event === "push" ? PSH : event === "flags" ? 0x41 : 0;
    const packet = flow.protocol === "udp"
      ? udpPacket(fields, { payload })
      : tcpPacket(fields, {
        ...tcp,
        sequence: sequence >>> 0,
        options: timestamps(clock),
        flags: ACK | flags,
        payload,
      });
    sequence = (sequence + payload.length) % 2 ** 32;
    return changed(packet, event, fields);
  });
}

/** What of an event comes over a packet that is finished. */
function changed(
  packet: Uint8Array,
  event: Event,
  fields: Parameters<typeof ipPacket>[0],
): Uint8Array {
  const { transport, protocol } = layoutOf(packet);
  if (event === "spoil") packet.fill((packet.at(-1) ?? 0) ^ 1, -1);
  if (event === "unsummed" && protocol === 17) {
    packet.fill(0, transport + 6, transport + 8);
  }
  if (event === "fragment" && fields.version === 6) {
    return ipPacket(
      fields,
      44,
      Uint8Array.of(protocol, 0, 0, 1, 0, 0, 0, 1, ...packet.slice(transport)),
    );
  }
  return event === "pad" ? Uint8Array.of(...packet, 0, 0) : packet;
}

/** Takes the next packet of the flow that each pick says, until none is left. */
function interleaved(
  flows: readonly (readonly Uint8Array[])[],
  picks: readonly number[],
): Uint8Array[] {
  const queues = flows.map((packets) => [...packets]);
  const all: Uint8Array[] = [];
  for (let i = 0;; i++) {
    const waiting = queues.filter((queue) => queue.length > 0);
    const pick = picks[i % picks.length] ?? 0;
    const packet = waiting[pick % waiting.length]?.shift();
    if (packet === undefined) return all;
    all.push(packet);
  }
}

/** The hosts of a packet: in these tests, its flow. */
function hostOf(packet: Uint8Array, ethernet: boolean): string {
  const link = ethernet ? packet[12] === 0x81 ? 18 : 14 : 0;
  const v6 = (packet[link] ?? 0) >> 4 === 6;
  return `${v6 ? 6 : 4}:${packet[link + (v6 ? 23 : 15)]}`;
}

/** A packet without the identification that has no meaning. */
function withoutId(packet: Uint8Array): Uint8Array {
  const { network, version } = layoutOf(packet);
  const copy = packet.slice();
  if (version === 4) {
    copy.fill(0, network + 4, network + 6);
    writeNetworkChecksum(copy);
  }
  return copy;
}

const link = fc.constantFrom<Link>("none", "ethernet", "vlan");
const flows = fc.array(flow, { minLength: 1, maxLength: 20 });
const picks = fc.array(fc.nat(19), { minLength: 1, maxLength: 50 });

Deno.test("coalesced and segmented, every flow is what it was", () => {
  fc.assert(
    fc.property(link, flows, picks, (link, flows, picks) => {
      const ethernet = link !== "none";
      const sent = flows.map((flow, i) => packetsOf(flow, i + 1, link));
      const packets = coalesce(interleaved(sent, picks), { ethernet })
        .flatMap(segmentsOf);
      const hosts = packets.map((packet) => hostOf(packet, ethernet));
      flows.forEach((flow, i) => {
        const host = `${flow.version}:${i + 1}`;
        const received = packets.filter((_, at) => hosts[at] === host);
        const text = (packet: Uint8Array) =>
          hex(flow.counts ? packet : withoutId(packet));
        assert.deepEqual(received.map(text), (sent[i] ?? []).map(text));
      });
    }),
    { numRuns: 200 },
  );
});

const damages = fc.array(
  fc.tuple(fc.nat(1000), fc.nat(90), fc.nat(255)),
  { maxLength: 60 },
);

Deno.test("damaged packets go through, whatever is around them", () => {
  fc.assert(
    fc.property(link, flows, damages, (link, flows, damages) => {
      const ethernet = link !== "none";
      const sent = flows.flatMap((flow, i) =>
        packetsOf({ ...flow, counts: true }, i + 1, link)
      );
      for (const [index, at, value] of damages) {
        const packet = sent[index % sent.length];
        if (packet !== undefined && at < packet.length) packet[at] = value;
      }
      const writes = coalesce(sent, { ethernet }, 0x00);
      assert.deepEqual(writes, coalesce(sent, { ethernet }, 0xff));
      assert.deepEqual(
        writes.flatMap(segmentsOf).map(hex).toSorted(),
        sent.map(hex).toSorted(),
      );
    }),
    { numRuns: 300 },
  );
});
