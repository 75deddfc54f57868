// Batch of datagrams on their way through the engine, as places in one memory.
import { type AesKeyBytes, BLOCK_BYTES, SHA1_BYTES } from "./engine.ts";
import { keyBytes, type SatpParameters } from "./params.ts";

const MAC_STRIDE = 32;

/**
 * Where the three derived values of one datagram lie in its key area: rounded up to
 * whole AES blocks, so that one ECB call derives them all.
 */
interface KeyLayout {
  /** 0 for the null cipher. */
  readonly cipherKeyBytes: 0 | AesKeyBytes;
  readonly authKeyAt: number;
  /** Offset of the cipher salt, later the initial counter block. */
  readonly counterAt: number;
  /** The blocks of the area: twice the number of its label, plus the counter. */
  readonly blocks: Uint8Array;
  readonly stride: number;
}

function keyLayout(params: SatpParameters): KeyLayout {
  const cipherKeyBytes = keyBytes(params.cipher);
  const cipherKey = [0, 1].slice(0, Math.ceil(cipherKeyBytes / BLOCK_BYTES));
  const authKey = params.authAlgo === "null" ? [] : [2, 3];
  const salt = cipherKeyBytes === 0 ? [] : [4];
  const blocks = Uint8Array.of(...cipherKey, ...authKey, ...salt);
  return {
    cipherKeyBytes,
    authKeyAt: cipherKey.length * BLOCK_BYTES,
    counterAt: (cipherKey.length + authKey.length) * BLOCK_BYTES,
    blocks,
    stride: blocks.length * BLOCK_BYTES,
  };
}

/**
 * A reusable list of datagrams, which lie wherever `at` says. It owns the place of
 * their derived keys and HMACs.
 */
export class DatagramBatch {
  readonly memory: Uint8Array<ArrayBuffer>;
  /** The same memory as 32 bit words, little endian as on every Deno target. */
  readonly words: Uint32Array;
  readonly params: SatpParameters;
  readonly layout: KeyLayout;
  readonly capacity: number;
  count = 0;
  readonly at: Uint32Array;
  /** Bytes without the tag. */
  readonly size: Uint32Array;
  /** 1 while the datagram is to be worked on, 0 once it is dropped. */
  readonly wanted: Uint8Array;
  readonly #keysAt: number;
  readonly #macsAt: number;

  static regionBytes(params: SatpParameters, capacity: number): number {
    return capacity * (keyLayout(params).stride + MAC_STRIDE);
  }

  /** @throws {RangeError} Unless the region fits, at a multiple of 16 */
  constructor(
    memory: Uint8Array<ArrayBuffer>,
    params: SatpParameters,
    capacity: number,
    regionAt: number,
  ) {
    const end = regionAt + DatagramBatch.regionBytes(params, capacity);
    if (memory.byteOffset !== 0 || memory.byteLength % 4 !== 0) {
      throw new RangeError("Cannot use a memory that is a part of a buffer");
    }
    if (regionAt % BLOCK_BYTES !== 0 || end > memory.byteLength) {
      throw new RangeError(
        `Cannot place a batch at ${regionAt}: it would end at ${end} of ${memory.byteLength}`,
      );
    }
    this.memory = memory;
    this.words = new Uint32Array(
      memory.buffer,
      memory.byteOffset,
      memory.byteLength / 4,
    );
    this.params = params;
    this.layout = keyLayout(params);
    this.capacity = capacity;
    this.at = new Uint32Array(capacity);
    this.size = new Uint32Array(capacity);
    this.wanted = new Uint8Array(capacity);
    this.#keysAt = regionAt;
    this.#macsAt = regionAt + capacity * this.layout.stride;
  }

  static slottedBytes(
    params: SatpParameters,
    capacity: number,
    slotBytes: number,
  ): number {
    return DatagramBatch.regionBytes(params, capacity) + capacity * slotBytes;
  }

  /** A slot for each datagram, one behind the other. */
  static slotted(
    memory: Uint8Array<ArrayBuffer>,
    params: SatpParameters,
    capacity: number,
    slotBytes: number,
    at: number,
  ): DatagramBatch {
    const batch = new DatagramBatch(memory, params, capacity, at);
    const slots = at + DatagramBatch.regionBytes(params, capacity);
    for (let i = 0; i < capacity; i++) batch.at[i] = slots + i * slotBytes;
    return batch;
  }

  /** In a memory of its own. */
  static standalone(
    params: SatpParameters,
    capacity: number,
    slotBytes: number,
  ): DatagramBatch {
    const bytes = DatagramBatch.slottedBytes(params, capacity, slotBytes);
    const memory = new Uint8Array(Math.ceil(bytes / 4) * 4);
    return DatagramBatch.slotted(memory, params, capacity, slotBytes, 0);
  }

  startOf(i: number): number {
    return this.at[i] ?? 0;
  }

  sizeOf(i: number): number {
    return this.size[i] ?? 0;
  }

  endOf(i: number): number {
    return this.startOf(i) + this.sizeOf(i);
  }

  keysAt(i: number): number {
    return this.#keysAt + i * this.layout.stride;
  }

  macAt(i: number): number {
    return this.#macsAt + i * MAC_STRIDE;
  }

  /** The part of the HMAC that is sent: its end (SATP section 4.1). */
  tagAt(i: number): number {
    return this.macAt(i) + SHA1_BYTES - this.params.tagLength;
  }

  /** @returns How many were wanted. */
  dropAll(): number {
    let dropped = 0;
    for (let i = 0; i < this.count; i++) {
      dropped += this.wanted[i] ?? 0;
      this.wanted[i] = 0;
    }
    return dropped;
  }

  wipe(): void {
    this.memory.fill(0, this.#keysAt, this.macAt(this.capacity));
  }
}
