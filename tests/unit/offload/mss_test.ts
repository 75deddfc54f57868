import assert from "node:assert/strict";
import { lowerMss, NO_SYN, synAt } from "../../../src/offload/mss.ts";
import {
  ACK,
  concat,
  edited,
  internetSum,
  type IpFields,
  pseudoHeader,
  SYN,
  tcpPacket,
} from "../../../lab/packets.ts";

/** As Linux sends them: MSS, SACK permitted, timestamps, window scale. */
const LINUX = [
  ...[2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7],
];

const AT = 8;

/** @returns The packet afterwards, and whether something was lowered */
function clamp(
  packet: Uint8Array,
  most: number,
): { readonly packet: Uint8Array; readonly isLowered: boolean } {
  const memory = new Uint8Array(AT + packet.length + 8).fill(0xff);
  memory.set(packet, AT);
  const end = AT + packet.length;
  const tcp = synAt(memory, AT, end);
  const isLowered = tcp !== NO_SYN && lowerMss(memory, tcp, most);
  return { packet: memory.slice(AT, end), isLowered };
}

function syn(ip: IpFields, options = LINUX, flags = SYN): Uint8Array {
  return tcpPacket(ip, { flags, options });
}

function isIntact(packet: Uint8Array, transport: number): boolean {
  const whole = concat(pseudoHeader(packet), packet.subarray(transport));
  return internetSum(whole) === 0xffff;
}

for (
  const [what, ip, transport] of [
    ["IPv4", {}, 20],
    ["IPv4 with options", { optionBytes: 8 }, 28],
    ["a first fragment of IPv4", { fragment: 0x2000 }, 20],
    ["IPv6", { version: 6 }, 40],
    ["IPv6 with an extension header", { version: 6, optionBytes: 16 }, 56],
  ] as const
) {
  Deno.test(`the MSS of a SYN over ${what} is lowered`, () => {
    for (const flags of [SYN, SYN | ACK, SYN | 0xc0]) {
      const before = syn(ip, LINUX, flags);
      const { packet, isLowered } = clamp(before, 1360);
      assert.equal(isLowered, true);
      assert.deepEqual(
        packet.subarray(transport + 20),
        Uint8Array.from([2, 4, 0x05, 0x50, ...LINUX.slice(4)]),
      );
      assert.ok(isIntact(packet, transport));
    }
  });
}

Deno.test("an MSS is never raised", () => {
  for (const most of [1460, 1461, 9000]) {
    const before = syn({});
    const { packet, isLowered } = clamp(before, most);
    assert.equal(isLowered, false);
    assert.deepEqual(packet, before);
  }
});

Deno.test("the MSS is lowered wherever it stands among the options", () => {
  for (const pad of [1, 2, 3, 4, 5]) {
    const nops = new Array<number>(pad).fill(1);
    const fill = new Array<number>((8 - pad) % 4).fill(0);
    const { packet, isLowered } = clamp(
      syn({}, [...nops, 2, 4, 0x23, 0x28, ...fill]),
      1234,
    );
    assert.equal(isLowered, true);
    const at = 40 + pad + 2;
    assert.deepEqual([...packet.subarray(at, at + 2)], [1234 >> 8, 1234 & 255]);
    assert.ok(isIntact(packet, 20), `behind ${pad} bytes`);
  }
});

const left: readonly (readonly [string, Uint8Array])[] = [
  ["no SYN", syn({}, LINUX, ACK)],
  ["not the first fragment", syn({ fragment: 0x2001 })],
  ["neither IPv4 nor IPv6", edited(syn({}), 0, 0x55)],
  ["UDP", edited(syn({}), 9, 17)],
  ["without the option", syn({}, [1, 1, 1, 1])],
  ["behind the end of the options", syn({}, [0, 0, 0, 0, ...LINUX])],
  ["behind an end that looks as long", syn({}, [0, 4, 1, 1, ...LINUX])],
  ["behind an option of no size", syn({}, [8, 0, 1, 1, ...LINUX])],
  ["behind an option of one byte", syn({}, [8, 1, 1, 1, ...LINUX])],
  ["behind one that is too long", syn({}, [8, 60, 1, 1, ...LINUX])],
  ["of a strange size", syn({}, [2, 6, 0x23, 0x28, 1, 1, 1, 1])],
  ["cut short by the header", syn({}, [1, 2, 4, 0x23])],
  ["a header that is too short for TCP", edited(syn({}), 32, 0x40)],
  ["a header longer than the packet", edited(syn({}), 32, 0xf0)],
  ["a packet longer than it is", edited(syn({}), 2, 0x01)],
  ["an IPv4 header that is too short", edited(syn({}), 0, 0x44)],
  ["a packet that ends in its options", edited(syn({}), 3, 50)],
  ["another fragment of IPv6", ipv6Fragment(1)],
];

for (const [what, packet] of left) {
  Deno.test(`the MSS is left alone where there is: ${what}`, () => {
    const clamped = clamp(packet, 500);
    assert.equal(clamped.isLowered, false);
    assert.deepEqual(clamped.packet, packet);
  });
}

Deno.test("the first fragment of IPv6 is looked into", () => {
  assert.equal(clamp(ipv6Fragment(0), 500).isLowered, true);
});

Deno.test("no chain of extension headers is followed for ever", () => {
  const syn6 = syn({ version: 6 });
  const chain = (headers: number) => {
    const next = (k: number) => k === headers - 1 ? 6 : 60;
    const extension = Array.from(
      { length: headers },
      (_, k) => [next(k), 0, 1, 4, 0, 0, 0, 0],
    ).flat();
    const packet = concat(
      edited(syn6.subarray(0, 40), 6, 60),
      Uint8Array.from(extension),
      syn6.subarray(40),
    );
    const length = packet.length - 40;
    return edited(packet, 4, length >> 8, length & 255);
  };
  assert.equal(clamp(chain(8), 500).isLowered, true);
  assert.equal(clamp(chain(9), 500).isLowered, false);
});

/** @param offset In units of 8 bytes */
function ipv6Fragment(offset: number): Uint8Array {
  const packet = syn({ version: 6 });
  const header = [6, 0, offset >> 5, (offset << 3 | 1) & 255, 0, 0, 0, 9];
  const whole = concat(
    edited(packet.subarray(0, 40), 6, 44),
    Uint8Array.from(header),
    packet.subarray(40),
  );
  return edited(whole, 4, 0, whole.length - 40);
}
