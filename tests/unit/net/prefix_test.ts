import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isWithin,
  parsePrefix,
  type Prefix,
  prefixHolds,
  withoutHostBits,
} from "../../../src/net/prefix.ts";

function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  assert.ok(found !== undefined, text);
  return found;
}

/** As one writes it down: all bits of an address, one behind the other. */
function bitsOf({ address }: Prefix): string {
  return [...address.bytes].map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
}

// Few values: else no two would have anything in common.
const anyPrefix = fc.tuple(
  fc.constantFrom(4, 16),
  fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), {
    ...{ minLength: 16, maxLength: 16 },
  }),
  fc.nat(128),
).map(([size, values, length]): Prefix => ({
  address: {
    family: size === 4 ? 4 : 6,
    bytes: Uint8Array.from(values.slice(0, size)),
  },
  length: Math.min(length, size * 8),
}));

Deno.test("a prefix holds the addresses that begin with its bits", () => {
  fc.assert(fc.property(anyPrefix, anyPrefix, (one, other) => {
    const isSame = one.address.family === other.address.family;
    const begins = isSame &&
      bitsOf(other).startsWith(bitsOf(one).slice(0, one.length));
    assert.equal(prefixHolds(one, other.address), begins);
    assert.equal(isWithin(other, one), begins && other.length >= one.length);
    const network = withoutHostBits(one.address.bytes, one.length);
    const { address: { family }, length } = one;
    const bare = { address: { family, bytes: network }, length };
    assert.equal(
      bitsOf(bare),
      bitsOf(one).slice(0, length).padEnd(network.length * 8, "0"),
    );
  }));
});

Deno.test("a network is within a wider one, and in itself", () => {
  const isIn = (one: string, other: string) =>
    isWithin(prefix(one), prefix(other));
  assert.ok(isIn("10.1.0.0/16", "10.0.0.0/8"));
  assert.ok(isIn("10.1.0.0/8", "10.9.9.9/8"), "host bits are ignored");
  assert.ok(!isIn("10.0.0.0/8", "10.0.0.0/16"));
  assert.ok(!isIn("11.0.0.0/16", "10.0.0.0/8"));
  assert.ok(isIn("10.0.0.0/8", "0.0.0.0/0"));
  assert.ok(!isIn("10.0.0.0/8", "::/0"));
  assert.ok(isIn("fd77::/64", "fc00::/7"));
});
