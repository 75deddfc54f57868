/**
 * Any record, for property tests.
 *
 * @module
 */
import fc from "fast-check";
import type { IpAddress } from "../../src/net/address.ts";
import type { Route } from "../../src/route/route.ts";
import type { SyncRecord } from "../../src/sync/record.ts";

/** Objects like those of the program. */
const PLAIN = { noNullPrototype: true };

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

const ipAddress: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.record({ family: fc.constant(4 as const), bytes: bytes(4) }, PLAIN),
  fc.record({ family: fc.constant(6 as const), bytes: bytes(16) }, PLAIN),
);

const hostAddress: fc.Arbitrary<IpAddress> = fc.oneof(
  { weight: 4, arbitrary: ipAddress },
  {
    weight: 1,
    arbitrary: fc.record({
      family: fc.constant(6 as const),
      bytes: bytes(16),
      zone: fc.constantFrom("lo", "eth0", "2"),
    }, PLAIN),
  },
);

const network: fc.Arbitrary<Route["network"]> = fc.oneof(
  { weight: 3, arbitrary: ipAddress },
  {
    weight: 1,
    arbitrary: fc.record({
      family: fc.constant("ethernet" as const),
      value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }, PLAIN),
  },
);

const secrets = fc.oneof(
  fc.constant({ key: new Uint8Array(0), salt: new Uint8Array(0) }),
  ...[16, 24, 32].map((size) =>
    fc.record({ key: bytes(size), salt: bytes(14) }, PLAIN)
  ),
);

/** A connection or a route with any values that fit. */
export const syncRecord: fc.Arbitrary<SyncRecord> = fc.oneof(
  fc.record({
    command: fc.constant("connection" as const),
    mux: u16,
    role: fc.constantFrom("left" as const, "right" as const),
    secrets,
    windowSize: u32,
    seq: u32,
    endpoint: fc.record({ address: hostAddress, port: u16 }, PLAIN),
  }, PLAIN),
  fc.record({
    command: fc.constant("route" as const),
    network,
    prefixLength: fc.nat(255),
    mux: u16,
  }, PLAIN),
);
