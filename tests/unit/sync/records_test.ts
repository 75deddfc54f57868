import { strict as assert } from "node:assert";
import { decodeRecord } from "../../../src/sync/decode.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { RecordReader } from "../../../src/sync/framing.ts";
import { knownEndpoint } from "../../../src/sync/record.ts";
import { connectionRecord } from "../../samples/sync_records.ts";

const HEAD = "22 serialization::archive 18 0 0";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The archive text of a record. */
function archive(record = connectionRecord()): string {
  return encodeRecord(record).slice(6);
}

/** A record in which the first text is another one. */
function altered(from: string, to: string): Uint8Array {
  const text = archive();
  assert.ok(text.includes(from), `${from} is in the record`);
  return bytes(text.replace(from, to));
}

Deno.test("decodeRecord() gives what encodeRecord() was given", () => {
  const record = connectionRecord();
  assert.deepEqual(decodeRecord(bytes(archive(record))), record);
});

Deno.test("encodeRecord() writes the library version that it is told", () => {
  const text = encodeRecord(connectionRecord(), 9);
  assert.equal(text.slice(6, 37), "22 serialization::archive 9 0 0");
  assert.equal(Number(text.slice(0, 5)), text.length - 6);
});

Deno.test("decodeRecord() skips commands that it does not know", () => {
  assert.equal(decodeRecord(bytes(`${HEAD} 4 blah 7 7`)), undefined);
  const long = "x".repeat(99_000);
  assert.equal(decodeRecord(bytes(`${HEAD} 99000 ${long}`)), undefined);
});

Deno.test("decodeRecord() says what is wrong in the words of the original", () => {
  const faults: readonly (readonly [Uint8Array, string])[] = [
    [bytes(""), "input stream error"],
    [bytes("x"), "input stream error"],
    [bytes("22 serialization"), "input stream error"],
    [bytes("5 hello"), "invalid signature"],
    [altered("archive", "Archive"), "invalid signature"],
    [altered("9 192.0.2.7", "9 192.0.2.x"), "Invalid argument"],
    [altered("9 192.0.2.7", "999 192.0.2.7"), "input stream error"],
    [altered(" 5 0 0", " 65536 0 0"), "input stream error"],
    [altered(" 128 ", " 192 "), "Invalid argument"],
    [altered(" 128 ", " +128 "), "input stream error"],
    [altered(" 128 ", " 128x "), "input stream error"],
    [altered(" 128 ", " 000000000000000000128 "), "input stream error"],
  ];
  for (const [text, fault] of faults) {
    assert.throws(
      () => decodeRecord(text),
      { name: "SyncError", fault },
      new TextDecoder().decode(text),
    );
  }
});

Deno.test("decodeRecord() accepts white space of any kind, zeros and a rest", () => {
  const record = connectionRecord();
  const variants = [
    altered(" 128 ", "\r\n\t\v\f 0128\n"),
    bytes(`  ${archive()}\n99 more`),
    altered("18 0 0", "65535 0 4294967295"),
  ];
  for (const text of variants) assert.deepEqual(decodeRecord(text), record);
});

Deno.test("decodeRecord() reads no more bytes of a key than a key has", () => {
  const count = altered(" 16 ", " 99999 ");
  assert.throws(() => decodeRecord(count), {
    message: /^Cannot read a record: size of key is above 32/,
  });
});

Deno.test("decodeRecord() never tells the bytes of keys", () => {
  const secret = altered(" 16 1 2 ", " 16 1 777 ");
  assert.throws(() => decodeRecord(secret), (error: Error) => {
    assert.ok(!error.message.includes("777"), error.message);
    return true;
  });
});

Deno.test("decodeRecord() keeps Ethernet addresses of 64 bits", () => {
  const text = (value: bigint) => `${HEAD} 5 route 0 0 0 0 48 0 0 2 ${value} 5`;
  const last = (1n << 64n) - 1n;
  assert.deepEqual(decodeRecord(bytes(text(last))), {
    command: "route",
    network: { family: "ethernet", value: last },
    prefixLength: 48,
    mux: 5,
  });
  assert.throws(() => decodeRecord(bytes(text(last + 1n))));
});

Deno.test("decodeRecord() refuses a route whose address has a zone", () => {
  const text = `${HEAD} 5 route 0 0 0 0 64 0 0 1 10 fe80::1%lo 5`;
  assert.throws(() => decodeRecord(bytes(text)), { fault: "Invalid argument" });
});

Deno.test("decodeRecord() refuses a zone longer than any: passed on, a record must fit its five digits", () => {
  for (const size of [15, 16, 99_700]) {
    const zone = "x".repeat(size);
    const address = { family: 6, bytes: new Uint8Array(16), zone } as const;
    const record = { ...connectionRecord(), endpoint: { address, port: 1 } };
    const text = bytes(archive(record));
    if (size === 15) assert.deepEqual(decodeRecord(text), record);
    else assert.throws(() => decodeRecord(text), { name: "SyncError" });
  }
});

Deno.test("knownEndpoint() is none without address or port", () => {
  const known = (host: string, port: number) =>
    knownEndpoint(connectionRecord({ host, port }));
  assert.equal(known("0.0.0.0", 4444), undefined);
  assert.equal(known("::", 4444), undefined);
  assert.equal(known("192.0.2.7", 0), undefined);
  assert.equal(known("192.0.2.7", 1)?.port, 1);
});

Deno.test("RecordReader finds records whatever the pieces", () => {
  const stream = bytes("00003 abc\r\n\n    2\nde00000 00001 f");
  for (let size = 1; size <= stream.length; size++) {
    const reader = new RecordReader();
    const texts: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const text of reader.push(stream.subarray(at, at + size))) {
        texts.push(new TextDecoder().decode(text));
      }
    }
    assert.deepEqual(texts, ["abc", "de", "", "f"]);
    assert.equal(reader.isInside, false);
  }
});

Deno.test("RecordReader knows that a record has begun", () => {
  const inside = (text: string) => {
    const reader = new RecordReader();
    assert.deepEqual([...reader.push(bytes(text))], []);
    return reader.isInside;
  };
  assert.equal(inside(""), false);
  assert.equal(inside("\n"), false);
  assert.equal(inside("0"), true);
  assert.equal(inside("00003 ab"), true);
});

Deno.test("RecordReader refuses a length that is no number, after what came before", () => {
  for (const length of ["abcde", "0x1f ", "-0001", "     ", "12 3 ", "1e3  "]) {
    const records = new RecordReader().push(bytes(`00001 a${length} b`));
    assert.deepEqual(records.next().value, bytes("a"));
    assert.throws(() => records.next(), { fault: "input stream error" });
  }
});

Deno.test("RecordReader knows a server that speaks TLS by its alert", () => {
  const alert = Uint8Array.of(21, 3, 3, 0, 2, 2, 50);
  assert.throws(() => [...new RecordReader().push(alert)], {
    fault: "input stream error",
    message: "Cannot read a record: the server speaks TLS (--sync-tls-cert)",
  });
});
