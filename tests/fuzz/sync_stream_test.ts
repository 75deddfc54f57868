import { strict as assert } from "node:assert";
import fc from "fast-check";
import { decodeRecord } from "../../src/sync/decode.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { SyncError } from "../../src/sync/error.ts";
import { RecordReader } from "../../src/sync/framing.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { syncRecord } from "../samples/sync_arbitraries.ts";
import { assertSound, readRecords, readTable } from "./targets/sync_stream.ts";

const RUNS = 3000;
const encoder = new TextEncoder();

function read(stream: Uint8Array): SyncRecord[] {
  return readRecords([stream]);
}

Deno.test("random bytes are refused with a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const record of read(bytes)) assertSound(record);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("random tokens are refused with a typed error, or make a sound record", () => {
  const token = fc.oneof(
    fc.nat(300).map(String),
    fc.constantFrom("0 0", "0 0", "-1", "4294967295", "4294967296", "x", ""),
    fc.constantFrom(
      "10 connection",
      "5 route",
      "7 0.0.0.0",
      "2 ::",
      "14",
      "16",
    ),
    fc.constantFrom("99999", "18446744073709551616", "128", "\n", "\0"),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 70 }), (tokens) => {
      const text = ["22 serialization::archive 18 0 0", ...tokens].join(" ");
      const length = String(text.length).padStart(5, "0");
      for (const record of read(encoder.encode(`${length} ${text}`))) {
        assertSound(record);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("records with changed bytes are refused with a typed error, or sound", () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(syncRecord, { minLength: 1, maxLength: 3 }),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (records, changes) => {
        const text = records.map((record) => encodeRecord(record)).join("");
        const stream = encoder.encode(text);
        for (const [at, byte] of changes) stream[at % stream.length] = byte;
        for (const record of read(stream)) assertSound(record);
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("the table of any stream ends without an untyped error", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(
        syncRecord.map((record) => encoder.encode(encodeRecord(record))),
        fc.uint8Array({ maxLength: 20 }),
      )),
      (pieces) => {
        readTable(pieces);
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("an endless stream is cut into records of 99999 bytes or less", () => {
  for (const byte of ["9", "0", " ", "\n"]) {
    const chunk = encoder.encode(byte.repeat(1 << 16));
    const reader = new RecordReader();
    try {
      for (let i = 0; i < 4; i++) {
        for (const text of reader.push(chunk)) {
          assert.ok(text.length <= 99_999);
          assert.throws(() => decodeRecord(text), { name: "SyncError" });
        }
      }
    } catch (error) {
      assert.ok(error instanceof SyncError, `untyped: ${error}`);
    }
  }
});
