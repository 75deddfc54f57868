import assert from "node:assert/strict";
import { saysIp } from "../../../src/offload/ethernet.ts";
import {
  combinedEcn,
  DROP,
  NO_CLASS,
  setEcn,
  trafficClass,
} from "../../../src/offload/traffic_class.ts";

const [NOT_ECT, ECT_1, ECT_0, CE] = [0, 1, 2, 3];
const AT = 7;

function ipv4(tos: number, id: number): Uint8Array {
  const memory = new Uint8Array(64);
  const head = [0x45, tos, 0, 20, id >>> 8, id & 0xff, 0x40, 0, 64, 17, 0, 0];
  memory.set([...head, 192, 0, 2, 1, 198, 51, 100, 2], AT);
  const sum = checksum(memory);
  memory.set([sum >>> 8, sum & 0xff], AT + 10);
  return memory;
}

/** RFC 791 section 3.1: 0 of a header that has it. */
function checksum(memory: Uint8Array): number {
  let sum = 0;
  for (let k = 0; k < 20; k += 2) {
    sum += (memory[AT + k] ?? 0) << 8 | (memory[AT + k + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ipv6(trafficClass: number): Uint8Array {
  const memory = new Uint8Array(64);
  const word = 6 * 2 ** 28 + trafficClass * 2 ** 20 + 0xabcde;
  new DataView(memory.buffer).setUint32(AT, word);
  return memory;
}

Deno.test("figure 4 of RFC 6040 holds for each pair of marks", () => {
  const table = [
    { inner: NOT_ECT, outer: [NOT_ECT, NOT_ECT, NOT_ECT, DROP] },
    { inner: ECT_0, outer: [ECT_0, ECT_0, ECT_1, CE] },
    { inner: ECT_1, outer: [ECT_1, ECT_1, ECT_1, CE] },
    { inner: CE, outer: [CE, CE, CE, CE] },
  ];
  for (const { inner, outer } of table) {
    const got = [NOT_ECT, ECT_0, ECT_1, CE].map((one) =>
      combinedEcn(inner, one)
    );
    assert.deepEqual(got, outer, `inner ${inner}`);
  }
});

Deno.test("a mark is set, and the checksum of IPv4 is that of the header then", () => {
  for (let id = 0; id <= 0xffff; id += 13) {
    const tos = id & 0xff;
    const memory = ipv4(tos, id);
    const ecn = id >>> 8 & 3;
    setEcn(memory, AT, ecn);
    assert.equal(memory[AT + 1], tos & 0xfc | ecn);
    assert.equal(checksum(memory), 0, `id ${id}`);
  }
  for (let all = 0; all < 256; all++) {
    const memory = ipv6(all);
    assert.equal(trafficClass(memory, AT, AT + 40), all);
    setEcn(memory, AT, CE);
    assert.deepEqual(memory, ipv6(all | CE), `class ${all}`);
    setEcn(memory, AT, NOT_ECT);
    assert.deepEqual(memory, ipv6(all & 0xfc));
  }
});

Deno.test("what is no whole header has no class", () => {
  assert.equal(trafficClass(ipv4(0xb9, 1), AT, AT + 20), 0xb9);
  assert.equal(trafficClass(ipv4(0xb9, 1), AT, AT + 19), NO_CLASS);
  assert.equal(trafficClass(ipv6(0xb9), AT, AT + 39), NO_CLASS);
  assert.equal(trafficClass(new Uint8Array(64).fill(0x51), AT, 64), NO_CLASS);
});

Deno.test("a frame says IP by its type and the version together", () => {
  const memory = ipv4(0, 0);
  memory.set([0x08, 0x00], AT - 2);
  assert.equal(saysIp(memory, AT), true);
  memory.set([0x86, 0xdd], AT - 2);
  assert.equal(saysIp(memory, AT), false);
  memory[AT] = 0x60;
  assert.equal(saysIp(memory, AT), true);
  memory.set([0x88, 0x47], AT - 2);
  assert.equal(saysIp(memory, AT), false, "MPLS");
});
