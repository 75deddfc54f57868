import assert from "node:assert/strict";
import fc from "fast-check";
import { formatEndpoint, parseEndpoint } from "../../../src/net/endpoint.ts";
import { formatPrefix, parsePrefix } from "../../../src/net/prefix.ts";

Deno.test("parseEndpoint() and formatEndpoint() agree on the text", () => {
  for (
    const text of [
      "192.0.2.1:4444",
      "0.0.0.0:0",
      "[::1]:65535",
      "[fe80::1%eth0]:1",
    ]
  ) {
    const endpoint = parseEndpoint(text);
    assert.ok(endpoint, text);
    assert.equal(formatEndpoint(endpoint), text);
  }
});

Deno.test("parseEndpoint() refuses what is no endpoint", () => {
  for (
    const text of [
      "",
      "192.0.2.1",
      "192.0.2.1:",
      "192.0.2.1:65536",
      "192.0.2.1:-1",
      "192.0.2.1: 1",
      "[192.0.2.1]:1",
      "::1:4444",
      "[::1]",
      "[::1]4444",
      "[::1:4444",
      "localhost:4444",
    ]
  ) assert.equal(parseEndpoint(text), undefined, text);
});

Deno.test("parsePrefix() keeps the host bits", () => {
  for (const text of ["10.0.0.1/24", "0.0.0.0/0", "fd00::1/64", "::/128"]) {
    const prefix = parsePrefix(text);
    assert.ok(prefix, text);
    assert.equal(formatPrefix(prefix), text);
  }
});

Deno.test("parsePrefix() refuses what is no prefix", () => {
  for (
    const text of [
      "10.0.0.1",
      "10.0.0.1/",
      "10.0.0.1/33",
      "10.0.0.1/-1",
      "10.0.0.1/255.255.255.0",
      "10.0.0.1/8/8",
      "::1/129",
      "/8",
      "fe80::1%eth0/64",
    ]
  ) assert.equal(parsePrefix(text), undefined, text);
});

Deno.test("parsePrefix() reads every length that the family has", () => {
  fc.assert(fc.property(fc.integer({ min: -1, max: 200 }), (length) => {
    const fits = (bits: number) => length >= 0 && length <= bits;
    assert.equal(parsePrefix(`10.0.0.1/${length}`) !== undefined, fits(32));
    assert.equal(parsePrefix(`fd00::1/${length}`) !== undefined, fits(128));
  }));
});
