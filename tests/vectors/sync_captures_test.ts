import { strict as assert } from "node:assert";
import { formatAddress } from "../../src/net/address.ts";
import { decodeRecord } from "../../src/sync/decode.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { RecordReader } from "../../src/sync/framing.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { TableReader } from "../../src/sync/showtables.ts";
import { loadVectors, toHex, vectorText } from "./vectors.ts";

interface Capture {
  readonly id: string;
  readonly description: string;
  readonly stream_file: string;
  readonly showtables_file: string;
  /** Nothing, or a newline in the way of C. */
  readonly record_separator: "" | "\\n";
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** What anytun-config writes without a proper key is no connection for us. */
const REFUSED = new Set(["config-defaults-no-key", "config-key-short"]);

const { captures } = loadVectors<{ captures: readonly Capture[] }>(
  "sync/index.json",
);

function bytesOf({ stream_file }: Capture): Uint8Array {
  return new TextEncoder().encode(vectorText(`sync/${stream_file}`));
}

function recordsOf(capture: Capture): SyncRecord[] {
  return [...new RecordReader().push(bytesOf(capture))]
    .flatMap((text) => decodeRecord(text) ?? []);
}

/** A record in the words of the vectors' index. */
function described(record: SyncRecord): Readonly<Record<string, unknown>> {
  const length = encodeRecord(record).length - 6;
  const { command, mux } = record;
  if (command === "connection") {
    const { role, secrets, windowSize, seq, endpoint } = record;
    return {
      command,
      mux,
      role: role === "left" ? 0 : 1,
      key_length_bits: secrets.key.length * 8,
      salt_hex: toHex(secrets.salt),
      key_hex: toHex(secrets.key),
      window_size: windowSize,
      seq_nr: seq,
      remote_host: formatAddress(endpoint.address),
      remote_port: endpoint.port,
      length,
      archive_version: 18,
    };
  }
  const { network, prefixLength } = record;
  return {
    command,
    prefix_length: prefixLength,
    address_type: network.family === 4 ? 0 : 1,
    address: network.family === "ethernet" ? "" : formatAddress(network),
    mux,
    length,
    archive_version: 18,
  };
}

for (const capture of captures) {
  const { id, description } = capture;
  const separator = capture.record_separator === "" ? "" : "\n";
  if (REFUSED.has(id)) {
    Deno.test(`${id} is refused: ${description}`, () => {
      assert.throws(() => recordsOf(capture), { fault: "Invalid argument" });
    });
    continue;
  }

  Deno.test(`${id} is read: ${description}`, () => {
    assert.deepEqual(recordsOf(capture).map(described), capture.records);
  });

  Deno.test(`${id} is written byte by byte as recorded`, () => {
    const written = recordsOf(capture)
      .map((record) => encodeRecord(record) + separator).join("");
    assert.equal(written, vectorText(`sync/${capture.stream_file}`));
  });

  Deno.test(`${id} is shown as anytun-showtables does`, () => {
    const lines = [...new TableReader().push(bytesOf(capture))]
      .map((line) => "text" in line ? `${line.text}\n` : `${line.error}\n`);
    const shown = vectorText(`sync/${capture.showtables_file}`);
    assert.equal(lines.join(""), shown);
  });
}
