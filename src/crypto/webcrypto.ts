/**
 * The engine that is always there: WebCrypto. It needs no permission and no
 * library, and takes about seven calls for each datagram.
 *
 * @module
 */
import { AUTH_KEY_BYTES, BLOCK_BYTES } from "../satp/batch.ts";
import type { DatagramBatch } from "../satp/batch.ts";
import type { CryptoEngine, MasterKey } from "../satp/engine.ts";
import { HEADER_BYTES } from "../satp/header.ts";
import type { Digest } from "../satp/secrets.ts";

class WebCryptoMasterKey implements MasterKey {
  readonly key: CryptoKey;

  constructor(key: CryptoKey) {
    this.key = key;
  }

  close(): void {
    // A CryptoKey cannot be wiped; it goes with this object.
  }
}

/** {@link CryptoEngine} on `crypto.subtle`; datagrams of a batch in parallel. */
export class WebCryptoEngine implements CryptoEngine {
  readonly name = "webcrypto";
  readonly #subtle: SubtleCrypto;

  /** @param subtle The runtime's `crypto.subtle` */
  constructor(subtle: SubtleCrypto) {
    this.#subtle = subtle;
  }

  async importMasterKey(key: Uint8Array): Promise<MasterKey> {
    return new WebCryptoMasterKey(await this.#importAes(key.slice()));
  }

  async encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): Promise<void> {
    if (!(master instanceof WebCryptoMasterKey)) {
      throw new TypeError("Cannot use a master key of another engine");
    }
    // There is no ECB here, but the key stream of CTR mode is the encryption
    // of its counter: a run of successive counters is one call.
    const jobs: Promise<void>[] = [];
    for (let first = 0; first < blocks;) {
      const from = at + first * BLOCK_BYTES;
      let count = 1;
      while (
        first + count < blocks &&
        follows(memory, from + (count - 1) * BLOCK_BYTES)
      ) count++;
      jobs.push(this.#keyStream(master.key, memory, from, count * BLOCK_BYTES));
      first += count;
    }
    await Promise.all(jobs);
  }

  async applyCipher(batch: DatagramBatch): Promise<void> {
    if (batch.layout.cipherKeyBytes === 0) return;
    await this.#forEachWanted(batch, (i) => this.#cipherOne(batch, i));
  }

  async authenticate(batch: DatagramBatch): Promise<void> {
    if (batch.params.tagLength === 0) return;
    await this.#forEachWanted(batch, (i) => this.#authenticateOne(batch, i));
  }

  async #forEachWanted(
    batch: DatagramBatch,
    work: (i: number) => Promise<void>,
  ): Promise<void> {
    const jobs: Promise<void>[] = [];
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] === 1) jobs.push(work(i));
    }
    await Promise.all(jobs);
  }

  async #cipherOne(batch: DatagramBatch, i: number): Promise<void> {
    const { memory, layout } = batch;
    const keysAt = batch.keysAt(i);
    const key = await this.#importAes(
      memory.slice(keysAt, keysAt + layout.cipherKeyBytes),
    );
    const counterAt = keysAt + layout.counterAt;
    const at = batch.at[i] ?? 0;
    const body = memory.subarray(at + HEADER_BYTES, at + (batch.size[i] ?? 0));
    const counter = memory.slice(counterAt, counterAt + BLOCK_BYTES);
    body.set(await this.#ctr(key, counter, body));
  }

  async #authenticateOne(batch: DatagramBatch, i: number): Promise<void> {
    const { memory, layout } = batch;
    const keyAt = batch.keysAt(i) + layout.authKeyAt;
    const key = await this.#subtle.importKey(
      "raw",
      memory.slice(keyAt, keyAt + AUTH_KEY_BYTES),
      { name: "HMAC", hash: "SHA-1" },
      false,
      ["sign"],
    );
    const at = batch.at[i] ?? 0;
    const data = memory.subarray(at, at + (batch.size[i] ?? 0));
    memory.set(
      new Uint8Array(await this.#subtle.sign("HMAC", key, data)),
      batch.macAt(i),
    );
  }

  async #keyStream(
    key: CryptoKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    bytes: number,
  ): Promise<void> {
    const counter = memory.slice(at, at + BLOCK_BYTES);
    memory.set(await this.#ctr(key, counter, new Uint8Array(bytes)), at);
  }

  #importAes(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    return this.#subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  }

  async #ctr(
    key: CryptoKey,
    counter: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array> {
    const algorithm = { name: "AES-CTR", counter, length: 128 };
    return new Uint8Array(await this.#subtle.encrypt(algorithm, key, data));
  }
}

// Whether the block after `at` is the one at `at` plus one, without a carry:
// derived values are at most two blocks long.
function follows(memory: Uint8Array, at: number): boolean {
  const last = BLOCK_BYTES - 1;
  for (let k = 0; k < last; k++) {
    if (memory[at + k] !== memory[at + BLOCK_BYTES + k]) return false;
  }
  return memory[at + BLOCK_BYTES + last] === (memory[at + last] ?? 0) + 1;
}

/** The hash functions of WebCrypto, as `masterSecrets()` wants them. */
export function digestWith(subtle: SubtleCrypto): Digest {
  return async (algorithm, data) =>
    new Uint8Array(await subtle.digest(algorithm, data));
}
