// The file that a control daemon serves, written by whoever may.
import { strict as assert } from "node:assert";
import {
  changedRecords,
  ControlFileError,
  type ControlRecord,
  parseControlFile,
} from "../../../src/sync/control_file.ts";
import { decodeFramed } from "../../../src/sync/decode.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";
import type { Target } from "../target.ts";

const encoder = new TextEncoder();

export default function open(): Target {
  const client = encodeRecord(connectionRecord({ mux: 5 }));
  const other = encodeRecord(connectionRecord({ mux: 6, host: "2001:db8::1" }));
  const route = encodeRecord(routeRecord("10.0.0.0/8", 5));
  return {
    seeds: [
      "",
      "\n\n",
      `${client}\n`,
      `${route}\n${route}\r\n`,
      `${client}\n${route}\n${other}\n`,
      `${client}\n${client}\n`,
      `${client}${route}`,
    ].map((text) => encoder.encode(text)),
    words: [client, route, "\n", "\r\n", "00000 ", "0 0 ", " ", "\t", "\0"],
    maxBytes: 700,
    run(input) {
      const records = read(input);
      for (const { line, mux, text } of records) {
        assert.ok(line >= 1);
        // A client reads the very record.
        assert.equal(
          text.slice(0, 5),
          String(text.length - 6).padStart(5, "0"),
        );
        const record = decodeFramed(text);
        assert.ok(record !== undefined);
        assert.equal(
          record.command === "connection" ? record.mux : undefined,
          mux,
        );
        assert.match(text, /^[\t\x20-\x7e]*$/);
      }
      const again = records.map(({ text }) => text).join("\n");
      const reread = parseControlFile(encoder.encode(again));
      assert.deepEqual(changedRecords(records, reread), []);
      assert.equal(reread.length, records.length);
    },
  };
}

function read(file: Uint8Array): ControlRecord[] {
  try {
    return parseControlFile(file);
  } catch (error) {
    assert.ok(error instanceof ControlFileError, `untyped: ${error}`);
    return [];
  }
}
