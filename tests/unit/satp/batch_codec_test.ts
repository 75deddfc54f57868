import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  createSatpBatchCodec,
  createSatpCodec,
  type SatpBatchCodec,
  SatpError,
} from "../../../mod.ts";

const passphrase = "unit tests";

/** Puts datagrams where they are opened. */
function bring(codec: SatpBatchCodec, datagrams: readonly Uint8Array[]): void {
  for (const [i, datagram] of datagrams.entries()) {
    codec.datagrams[i]?.set(datagram.subarray(0, 1600));
    codec.datagramSizes[i] = datagram.length;
  }
}

function sealed(codec: SatpBatchCodec, count: number): Uint8Array[] {
  codec.sealAll(count);
  return codec.datagrams.slice(0, count)
    .map((datagram, i) => datagram.slice(0, codec.datagramSizes[i]));
}

Deno.test("a batch has the same bytes as single datagrams, and opens again", async () => {
  const options = { passphrase, mux: 9, senderId: 3 };
  const one = await createSatpCodec(options);
  const left = await createSatpBatchCodec(options);
  const right = await createSatpBatchCodec({ passphrase, role: "right" });
  const payloads = fc.array(fc.uint8Array({ maxLength: 1580, size: "max" }), {
    maxLength: 64,
    size: "max",
  });
  const property = fc.asyncProperty(payloads, async (payloads) => {
    for (const [i, payload] of payloads.entries()) {
      left.payloads[i]?.set(payload);
      left.payloadSizes[i] = payload.length;
      left.payloadTypes[i] = 0x86dd;
      left.seqs[i] = 0xffffffff - i;
    }
    const datagrams = sealed(left, payloads.length);
    for (const [i, payload] of payloads.entries()) {
      const packet = { seq: 0xffffffff - i, payloadType: 0x86dd, payload };
      assert.deepEqual(datagrams[i], await one.seal(packet));
    }
    bring(right, datagrams);
    assert.equal(right.openAll(datagrams.length), datagrams.length);
    for (const [i, payload] of payloads.entries()) {
      const size = right.payloadSizes[i];
      assert.deepEqual(right.payloads[i]?.slice(0, size), payload);
      assert.equal(right.seqs[i], 0xffffffff - i);
      assert.equal(right.payloadTypes[i], 0x86dd);
      assert.equal(right.muxes[i], 9);
      assert.equal(right.senderIds[i], 3);
      assert.equal(right.faults[i], null);
    }
  });
  await fc.assert(property, { numRuns: 20 });
});

Deno.test("openAll() says why it refuses a datagram, and opens the others", async () => {
  const left = await createSatpBatchCodec({ passphrase, capacity: 4 });
  const right = await createSatpBatchCodec({ passphrase, role: "right" });
  left.payloadSizes.fill(100);
  const [first, forged, ...rest] = sealed(left, 4);
  assert.ok(first !== undefined && forged !== undefined);
  forged[50] = (forged[50] ?? 0) ^ 1;
  const wrong = [new Uint8Array(19), new Uint8Array(1601), forged];
  bring(right, [...wrong, first, ...rest]);
  assert.equal(right.openAll(6), 3);
  assert.deepEqual(right.faults.slice(0, 6), [
    ...["TOO_SHORT", "TOO_LONG", "WRONG_TAG"],
    ...[null, null, null],
  ]);
});

Deno.test("sealAll() seals nothing if one payload is too long", async () => {
  const codec = await createSatpBatchCodec({ passphrase, capacity: 2 });
  codec.payloadSizes.set([1580, 1581]);
  assert.throws(() => codec.sealAll(2), {
    name: "SatpError",
    code: "TOO_LONG",
    message:
      "Cannot seal 1581 bytes: the datagram would have 1601, more than 1600",
  });
  assert.ok(codec.datagrams.every((it) => it.every((byte) => byte === 0)));
});

Deno.test("a count that is none is refused", async () => {
  const codec = await createSatpBatchCodec({ passphrase, capacity: 2 });
  for (const count of [-1, 3, 1.5, NaN]) {
    const refusal = {
      code: "BAD_PARAMETER",
      message: `Cannot use count ${count}: it must be 0 to 2`,
    };
    assert.throws(() => codec.sealAll(count), refusal);
    assert.throws(() => codec.openAll(count), refusal);
  }
  codec.sealAll(0);
  assert.equal(codec.openAll(0), 0);
});

Deno.test("a capacity that is none is refused", async () => {
  for (const capacity of [0, -1, 1.5, 1025]) {
    await assert.rejects(
      createSatpBatchCodec({ passphrase, capacity }),
      (error) => error instanceof SatpError && error.code === "BAD_PARAMETER",
    );
  }
});
