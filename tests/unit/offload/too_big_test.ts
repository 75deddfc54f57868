import assert from "node:assert/strict";
import {
  concat,
  counting,
  edited,
  ipPacket,
  tcpPacket,
  udpPacket,
} from "../../../lab/packets.ts";
import {
  mayTellTooBig,
  TOO_BIG_BYTES,
  writeTooBig,
} from "../../../src/offload/too_big.ts";
import { tooBig } from "../../oracles/slow_too_big.ts";

const payload = counting(1500);
const FRAME = 14;

/** @param link Bytes of its Ethernet header */
function answer(packet: Uint8Array, mtu: number, link = 0): Uint8Array {
  const memory = new Uint8Array(packet.length + 30).fill(0xff);
  memory.set(packet, 10);
  const end = 10 + packet.length;
  const ip = 10 + link;
  assert.ok(mayTellTooBig(memory, ip, end));
  const to = new Uint8Array(TOO_BIG_BYTES + 20).fill(0xee);
  const size = writeTooBig(memory, 10, ip, end, mtu, to, 10);
  assert.ok(size <= TOO_BIG_BYTES);
  const isAround = to.every((byte, k) =>
    byte === 0xee || k >= 10 && k < 10 + size
  );
  assert.ok(isAround);
  return to.slice(10, 10 + size);
}

for (
  const [what, packet, mtu] of [
    ["TCP over IPv4", tcpPacket({}, { payload }), 1352],
    [
      "UDP over IPv4 with options",
      udpPacket({ optionBytes: 8 }, { payload }),
      9,
    ],
    ["a short packet of IPv4", udpPacket({}, { payload: counting(9) }), 600],
    ["TCP over IPv6", tcpPacket({ version: 6 }, { payload }), 1352],
    ["UDP over IPv6", udpPacket({ version: 6 }, { payload }), 1280],
    [
      "a request for an echo",
      ipPacket({}, 1, Uint8Array.of(8, ...payload)),
      1400,
    ],
    [
      "a first fragment of IPv4",
      udpPacket({ fragment: 0x6000 }, { payload }),
      1000,
    ],
  ] as const
) {
  Deno.test(`${what} that is too long is answered as the RFCs say`, () => {
    assert.deepEqual(answer(packet, mtu), tooBig(packet, mtu));
  });
}

Deno.test("a frame that is too long is answered the other way", () => {
  const frame = udpPacket({ link: "ethernet" }, { payload });
  const answered = answer(frame, 1300, FRAME);
  assert.deepEqual(answered.subarray(0, 6), frame.subarray(6, 12));
  assert.deepEqual(answered.subarray(6, 12), frame.subarray(0, 6));
  assert.deepEqual(answered.subarray(12, 14), frame.subarray(12, 14));
  assert.deepEqual(
    answered.subarray(FRAME),
    tooBig(frame.subarray(FRAME), 1300),
  );
});

const udp4 = udpPacket({}, { payload });
const udp6 = udpPacket({ version: 6 }, { payload });
const icmp = (version: 4 | 6, type: number) =>
  ipPacket(
    { version },
    version === 4 ? 1 : 58,
    Uint8Array.of(type, ...payload),
  );

const silent: readonly (readonly [string, Uint8Array])[] = [
  ["what may be cut", udpPacket({ fragment: 0 }, { payload })],
  ["a later fragment", udpPacket({ fragment: 0x4001 }, { payload })],
  ["an unknown source", edited(udp4, 12, 0)],
  ["a source on the host itself", edited(udp4, 12, 127)],
  ["a source that is many", edited(udp4, 12, 224)],
  ["a multicast over IPv4", edited(udp4, 16, 239)],
  ["a broadcast", edited(udp4, 16, 255, 255, 255, 255)],
  ["an IPv4 header that is too short", edited(udp4, 0, 0x44)],
  ["a packet without a beginning of its content", udp4.subarray(0, 27)],
  ["another protocol", edited(udp4, 0, 0x55)],
  ["a multicast over IPv6", edited(udp6, 24, 0xff)],
  ["an IPv6 source that is many", edited(udp6, 8, 0xff)],
  ["no IPv6 source", edited(udp6, 8, ...new Array<number>(16).fill(0))],
  ["a later fragment of IPv6", edited(udp6, 6, 44)],
  ...[3, 4, 5, 11, 12].map((type) =>
    [`an error of type ${type} over IPv4`, icmp(4, type)] as const
  ),
  ...[1, 2, 3, 4, 127].map((type) =>
    [`an error of type ${type} over IPv6`, icmp(6, type)] as const
  ),
];

/** With so many extension headers in front of what it carries. */
function extended(packet: Uint8Array, headers: number): Uint8Array {
  const next = (k: number) => k === headers - 1 ? packet[6] ?? 0 : 60;
  const chain = Array.from(
    { length: headers },
    (_, k) => [next(k), 0, 1, 4, 0, 0, 0, 0],
  ).flat();
  return concat(
    edited(packet.subarray(0, 40), 6, 60),
    Uint8Array.from(chain),
    packet.subarray(40),
  );
}

Deno.test("what stands behind extension headers counts, if they are not too many", () => {
  const told = (packet: Uint8Array) => {
    const mayTell = mayTellTooBig(packet, 0, packet.length);
    assert.equal(mayTell, tooBig(packet, 1300) !== undefined);
    return mayTell;
  };
  assert.equal(told(extended(udp6, 8)), true);
  assert.equal(told(extended(udp6, 9)), false);
  assert.equal(told(extended(icmp(6, 128), 8)), true);
  assert.equal(told(extended(icmp(6, 1), 8)), false);
});

for (const [what, packet] of silent) {
  Deno.test(`nobody is told that it is too long: ${what}`, () => {
    assert.equal(mayTellTooBig(packet, 0, packet.length), false);
    assert.equal(tooBig(packet, 1300), undefined);
  });
}
