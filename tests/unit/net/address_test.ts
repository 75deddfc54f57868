import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  addressOf,
  formatAddress,
  parseAddress,
  unmapped,
} from "../../../src/net/address.ts";
import { withNumericZone } from "../../../src/net/zone.ts";

/** What the text looks like after reading and writing it. */
function roundTrip(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address);
}

Deno.test("parseAddress() reads IPv4 in network order", () => {
  assert.deepEqual(parseAddress("192.0.2.1"), {
    family: 4,
    bytes: Uint8Array.of(192, 0, 2, 1),
  });
});

Deno.test("the family of an address is told by its length", () => {
  for (const text of ["192.0.2.1", "2001:db8::1"]) {
    const address = parseAddress(text);
    assert.ok(address);
    assert.deepEqual(addressOf(address.bytes), address);
  }
});

Deno.test("parseAddress() reads every form of RFC 4291", () => {
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["FF01::101", "ff010000000000000000000000000101"],
    ["::1", "00000000000000000000000000000001"],
    ["::", "00000000000000000000000000000000"],
    ["1::", "00010000000000000000000000000000"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["0:0:0:0:0:0:13.1.68.3", "0000000000000000000000000d014403"],
    ["::FFFF:129.144.52.38", "00000000000000000000ffff81903426"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
  ];
  for (const [text, hex] of forms) {
    const address = parseAddress(text);
    assert.equal(address?.family, 6, text);
    assert.equal(Buffer.from(address.bytes).toString("hex"), hex, text);
  }
});

Deno.test("parseAddress() refuses what only looks like an address", () => {
  const wrong = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.-4",
    "1.2.3. 4",
    "0x7f.0.0.1",
    "300.1.1.1",
    ":",
    ":::",
    ":1",
    "1:",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "1:2:3:4:5:6:7:1.2.3.4",
    "[::1]",
    "::1/64",
    "fe80::1%",
    "fe80::1%a b",
    "fe80::1%0123456789abcdef",
    "192.0.2.1%eth0",
    "localhost",
  ];
  for (const text of wrong) assert.equal(parseAddress(text), undefined, text);
});

Deno.test("parseAddress() keeps the zone of a scoped address", () => {
  assert.equal(parseAddress("fe80::1%eth0.7")?.zone, "eth0.7");
  assert.equal(roundTrip("fe80::1%2"), "fe80::1%2");
});

Deno.test("formatAddress() compresses as RFC 5952 section 4 says", () => {
  const examples: ReadonlyArray<readonly [string, string]> = [
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8::AAAA", "2001:db8::aaaa"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::ffff:c000:221", "::ffff:192.0.2.33"],
    ["::192.0.2.33", "::c000:221"],
  ];
  for (const [text, expected] of examples) {
    assert.equal(roundTrip(text), expected);
  }
});

Deno.test("parseAddress() reads back whatever formatAddress() writes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Many zero groups, where the compression has something to do.
    fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
      .map((values) => Uint8Array.from(values)),
  );
  fc.assert(fc.property(bytes, (bytes) => {
    const address = { family: bytes.length === 4 ? 4 : 6, bytes } as const;
    assert.deepEqual(parseAddress(formatAddress(address)), address);
  }));
});

Deno.test("an IPv4-mapped address is one of IPv4, and no other one is", () => {
  const texts = [
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:c000:207", "192.0.2.7"],
    ["192.0.2.7", "192.0.2.7"],
    ["::192.0.2.7", "::c000:207"],
    ["::fffe:192.0.2.7", "::fffe:c000:207"],
    ["64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
    ["fe80::1%3", "fe80::1%3"],
  ] as const;
  for (const [text, expected] of texts) {
    const address = parseAddress(text) ?? assert.fail();
    assert.equal(formatAddress(unmapped(address)), expected);
  }
});

Deno.test("parseAddress() never throws", () => {
  const alphabet = fc.constantFrom(..."0123456789abf:.%/[] g");
  fc.assert(fc.property(fc.string({ unit: alphabet }), (text) => {
    const address = parseAddress(text);
    if (address === undefined) return;
    assert.equal(address.bytes.length, address.family === 4 ? 4 : 16);
  }));
});

Deno.test("a zone that no interface can have as its number is not taken for another one", () => {
  const { family, bytes } = parseAddress("fe80::1") ?? assert.fail();
  const withZone = (zone: string) =>
    withNumericZone({ family, bytes, zone }, () => undefined).zone;
  assert.equal(withZone("4294967295"), "4294967295");
  assert.throws(() => withZone("4294967297"), /no interface '4294967297'/);
});
