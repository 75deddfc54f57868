// The stream between members of a cluster: framing, records, the table of them.
import { strict as assert } from "node:assert";
import { decodeRecord } from "../../../src/sync/decode.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { SyncError } from "../../../src/sync/error.ts";
import { RecordReader } from "../../../src/sync/framing.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { TableReader } from "../../../src/sync/showtables.ts";
import { loadVectors } from "../../vectors/vectors.ts";
import type { Target } from "../target.ts";

interface AcceptVectors {
  readonly cases: readonly { readonly stream: string }[];
}

/** Of the first byte: the rest is one record, whose length is still missing. */
const UNFRAMED = 1;
/** Of the first byte: `anytun showtables` reads it, not a member. */
const TABLE = 2;
/** The other bits say how long the pieces are that the stream comes in. */
const PIECES = [1000, 64, 100, 7, 200, 6, 5, 1];

const encoder = new TextEncoder();

export default function open(): Target {
  const { cases } = loadVectors<AcceptVectors>("sync/accept.json");
  return {
    seeds: cases.flatMap(({ stream }) => [
      encoder.encode(`\0${stream}`),
      encoder.encode(`${String.fromCharCode(UNFRAMED)}${stream.slice(6)}`),
    ]),
    words: [
      ...["0 0 ", "5 route ", "10 connection ", "22 serialization::archive "],
      ...["7 0.0.0.0", "2 ::", "9 127.0.0.1", "16 ", "14 ", "128 ", "256 "],
      ...["18446744073709551615", "18446744073709551616", "\n", "00000 "],
    ],
    maxBytes: 320,
    run(input) {
      const flags = input[0] ?? 0;
      const bytes = input.subarray(1);
      const stream = flags & UNFRAMED ? framed(bytes) : bytes;
      const whole = readRecords([stream]);
      for (const record of whole) assertSound(record);
      const size = PIECES[(flags >> 2) % PIECES.length] ?? 1;
      const pieces = [...piecesOf(stream, size)];
      if (flags & TABLE) readTable(pieces);
      else assertSame(readRecords(pieces), whole);
    },
  };
}

/** What a client makes of a stream: records, then perhaps an error. */
export function readRecords(pieces: Iterable<Uint8Array>): SyncRecord[] {
  const records: SyncRecord[] = [];
  const reader = new RecordReader();
  try {
    for (const piece of pieces) {
      for (const text of reader.push(piece)) {
        const record = decodeRecord(text);
        if (record !== undefined) records.push(record);
      }
    }
  } catch (error) {
    assert.ok(error instanceof SyncError, `untyped: ${error}`);
  }
  return records;
}

/** However a stream is cut, it says the same. */
function assertSame(
  records: readonly SyncRecord[],
  others: readonly SyncRecord[],
): void {
  assert.equal(
    records.map((record) => encodeRecord(record)).join(),
    others.map((record) => encodeRecord(record)).join(),
  );
}

export function assertSound(record: SyncRecord): void {
  assert.ok(record.mux >= 0 && record.mux <= 0xffff);
  if (record.command === "connection") {
    const { key, salt } = record.secrets;
    assert.ok([0, 16, 24, 32].includes(key.length));
    assert.equal(salt.length, key.length === 0 ? 0 : 14);
    assert.ok(record.windowSize <= 0xffffffff && record.seq <= 0xffffffff);
  }
  // Whatever was read can be passed on and read again.
  const text = encodeRecord(record);
  assert.match(text, /^\d{5} /);
  assert.deepEqual(decodeRecord(encoder.encode(text.slice(6))), record);
}

/** What `anytun showtables` makes of a stream. */
export function readTable(pieces: Iterable<Uint8Array>): void {
  const reader = new TableReader();
  for (const piece of pieces) {
    for (const line of reader.push(piece)) {
      const text = "text" in line ? line.text : line.error.message;
      // It goes to a terminal.
      assert.match(text, /^[\x20-\x7e]*$/);
    }
  }
  for (const _ of reader.end());
}

function framed(text: Uint8Array): Uint8Array {
  const length = encoder.encode(`${String(text.length).padStart(5, "0")} `);
  return Uint8Array.of(...length, ...text);
}

function* piecesOf(stream: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < stream.length; at += size) {
    yield stream.subarray(at, at + size);
  }
}
