// Output of `anytun-showtables` (sync section 8).
import { formatAddress } from "../net/address.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { decodeRecord } from "./decode.ts";
import { SyncError } from "./error.ts";
import { RecordReader } from "./framing.ts";
import { isUnspecified, type SyncRecord } from "./record.ts";

export type TableLine =
  | { readonly record: SyncRecord; readonly text: string }
  | { readonly error: SyncError };

/** Keys are never shown. */
export function tableText(record: SyncRecord): string {
  const { mux } = record;
  if (record.command === "connection") {
    const { endpoint } = record;
    return isUnspecified(endpoint)
      ? `Client ${mux}: not registered`
      : `Client ${mux}: ${formatEndpoint(endpoint)}`;
  }
  const { network, prefixLength } = record;
  const address = network.family === "ethernet" ? "" : formatAddress(network);
  return `Route: ${address}/${prefixLength} -> ${mux}`;
}

export class TableReader {
  readonly #reader = new RecordReader();
  #broken = false;

  /**
   * A bad record does not end the stream. A bad length does: nobody can tell
   * where the next record begins.
   */
  *push(chunk: Uint8Array): Generator<TableLine> {
    if (this.#broken) return;
    try {
      for (const text of this.#reader.push(chunk)) {
        if (text.length > 0) yield* lineOf(text);
      }
    } catch (error) {
      this.#broken = true;
      yield { error: syncErrorFrom(error) };
    }
  }

  *end(): Generator<TableLine> {
    if (this.#broken || !this.#reader.isInside) return;
    const message = "Cannot read a record: the stream ends inside of it";
    yield { error: new SyncError("input stream error", message) };
  }
}

function* lineOf(text: Uint8Array): Generator<TableLine> {
  try {
    const record = decodeRecord(text);
    if (record !== undefined) yield { record, text: tableText(record) };
  } catch (error) {
    yield { error: syncErrorFrom(error) };
  }
}

function syncErrorFrom(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  throw error;
}
