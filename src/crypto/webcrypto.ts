// The engine of the runtime: WebCrypto. It needs neither a library nor vector
// instructions, takes about seven calls for each message, and answers later.
import {
  type AesKeyBytes,
  allOf,
  BLOCK_BYTES,
  type Cipher,
  type CryptoEngine,
  type Mac,
  type MasterKey,
  SHA1_BYTES,
} from "../satp/engine.ts";
import type { Digest } from "../satp/secrets.ts";

/** Messages in parallel. */
export class WebCryptoEngine implements CryptoEngine {
  readonly name = "webcrypto";
  readonly #subtle: SubtleCrypto;

  constructor(subtle: SubtleCrypto) {
    this.#subtle = subtle;
  }

  async importMasterKey(key: Uint8Array): Promise<MasterKey> {
    const master = await this.#importAes(key.slice());
    return {
      encrypt: (memory, at, blocks) =>
        this.#encryptBlocks(master, memory, at, blocks),
      close() {
        // A CryptoKey cannot be wiped; it goes with this object.
      },
    };
  }

  beginCipher(memory: Uint8Array<ArrayBuffer>, keyBytes: AesKeyBytes): Cipher {
    const jobs: Promise<void>[] = [];
    return {
      run: (keyAt, counterAt, at, size) => {
        const key = memory.slice(keyAt, keyAt + keyBytes);
        const counter = memory.slice(counterAt, counterAt + BLOCK_BYTES);
        const body = memory.subarray(at, at + size);
        jobs.push(this.#cipher(key, counter, body));
      },
      flush: () => allOf(jobs),
    };
  }

  beginMac(memory: Uint8Array<ArrayBuffer>, _count: number): Mac {
    const jobs: Promise<void>[] = [];
    return {
      run: (keyAt, at, size, macAt) => {
        const key = memory.slice(keyAt, keyAt + SHA1_BYTES);
        const mac = memory.subarray(macAt, macAt + SHA1_BYTES);
        jobs.push(this.#authenticate(key, memory.subarray(at, at + size), mac));
      },
      flush: () => allOf(jobs),
    };
  }

  // There is no ECB here, but the key stream of CTR mode is the encryption of
  // its counter: a run of successive counters is one call.
  async #encryptBlocks(
    key: CryptoKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): Promise<void> {
    const jobs: Promise<void>[] = [];
    const end = at + blocks * BLOCK_BYTES;
    for (let from = at; from < end;) {
      let to = from + BLOCK_BYTES;
      while (to < end && follows(memory, to - BLOCK_BYTES)) to += BLOCK_BYTES;
      const counter = memory.slice(from, from + BLOCK_BYTES);
      const stream = memory.subarray(from, to).fill(0);
      jobs.push(this.#ctr(key, counter, stream));
      from = to;
    }
    await allOf(jobs);
  }

  async #cipher(
    key: Uint8Array<ArrayBuffer>,
    counter: Uint8Array<ArrayBuffer>,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    await this.#ctr(await this.#importAes(key), counter, body);
  }

  async #authenticate(
    key: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
    mac: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const algorithm = { name: "HMAC", hash: "SHA-1" };
    const imported = await this.#subtle.importKey(
      "raw",
      key,
      algorithm,
      false,
      ["sign"],
    );
    mac.set(new Uint8Array(await this.#subtle.sign("HMAC", imported, data)));
  }

  #importAes(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    return this.#subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  }

  async #ctr(
    key: CryptoKey,
    counter: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const algorithm = { name: "AES-CTR", counter, length: 128 };
    data.set(new Uint8Array(await this.#subtle.encrypt(algorithm, key, data)));
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

export function digestWith(subtle: SubtleCrypto): Digest {
  return async (algorithm, data) =>
    new Uint8Array(await subtle.digest(algorithm, data));
}
