// The first bytes of a client of the sync port, before anything is spent on it.
import { strict as assert } from "node:assert";
import { PendingClient } from "../../../src/sync/pending_client.ts";
import type { SyncStream } from "../../../src/sync/streams.ts";
import type { Target } from "../target.ts";

const REMOTE = {
  address: { family: 4, bytes: Uint8Array.of(192, 0, 2, 7) },
  port: 9,
} as const;

/** An input is a size of pieces and of reads, and what the client sends. */
export default function open(): Target {
  const hello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
  return {
    seeds: [
      Uint8Array.of(0, 0, ...hello),
      Uint8Array.of(2, 40, ...hello),
      Uint8Array.of(5, 1, 21, 3, 1, 0, 2, 2, 40),
      Uint8Array.of(9, 0, ...new TextEncoder().encode("00196 22 serial")),
    ],
    maxBytes: 40,
    async run(input) {
      const [pieces = 0, reads = 0] = input;
      const sent = input.slice(2);
      const stream = new Pieces(sent, 1 + pieces % 8);
      const client = new PendingClient(stream, 0);
      const [type = 22, version = 3] = sent;
      const isTls = sent.length >= 5 && type === 22 && version === 3;
      const begun = await client.helloBegun().then(() => true, () => false);
      assert.equal(begun, isTls);
      assert.ok(stream.taken <= 5, "more was read than a header");
      if (begun) assert.deepEqual(await rest(client, 1 + reads % 9), sent);
    },
  };
}

/** Everything that is read of a client, in reads of a size. */
async function rest(client: SyncStream, size: number): Promise<Uint8Array> {
  const all: number[] = [];
  const into = new Uint8Array(size);
  for (;;) {
    const read = await client.read(into);
    if (read === null) return Uint8Array.from(all);
    assert.ok(read > 0 && read <= size);
    all.push(...into.subarray(0, read));
  }
}

/** A stream that comes in pieces of a size. */
class Pieces implements SyncStream {
  readonly remote = REMOTE;
  taken = 0;
  readonly #bytes: Uint8Array;
  readonly #size: number;

  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#size = size;
  }

  read(into: Uint8Array): Promise<number | null> {
    const size = Math.min(this.#size, into.length);
    const piece = this.#bytes.subarray(this.taken, this.taken + size);
    into.set(piece);
    this.taken += piece.length;
    return Promise.resolve(piece.length === 0 ? null : piece.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  close(): void {}
}
