import { strict as assert } from "node:assert";
import fc from "fast-check";
import { decodeRecord } from "../../src/sync/decode.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { RecordReader } from "../../src/sync/framing.ts";
import { syncRecord } from "../samples/sync_arbitraries.ts";

const encoder = new TextEncoder();

Deno.test("a record is the same after being written and read", () => {
  fc.assert(fc.property(syncRecord, fc.nat(0xffff), (record, version) => {
    const text = encodeRecord(record, version);
    assert.equal(Number(text.slice(0, 5)), text.length - 6);
    assert.deepEqual(decodeRecord(encoder.encode(text.slice(6))), record);
  }));
});

Deno.test("a stream of records is the same in whatever pieces it comes", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 });
  fc.assert(
    fc.property(
      fc.array(syncRecord, { maxLength: 8 }),
      pieces,
      (records, sizes) => {
        const text = records.map((record) => encodeRecord(record)).join("");
        const stream = encoder.encode(text);
        const reader = new RecordReader();
        const read = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          for (const text of reader.push(stream.slice(at, at + size))) {
            read.push(decodeRecord(text));
          }
          at += size;
        }
        assert.deepEqual(read, records);
        assert.equal(reader.isInside, false);
      },
    ),
  );
});

Deno.test("a record that is cut anywhere is refused", () => {
  fc.assert(fc.property(syncRecord, fc.nat(), (record, where) => {
    const text = encodeRecord(record).slice(6);
    // A last number loses a digit and is a number still.
    const end = where % (text.lastIndexOf(" ") + 1);
    assert.throws(() => decodeRecord(encoder.encode(text.slice(0, end))), {
      name: "SyncError",
    });
  }));
});
