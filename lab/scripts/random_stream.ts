import { Buffer } from "node:buffer";

/** Bytes of a seed: those of an AES-128 key. */
const SEED_BYTES = 16;

/** Bytes that follow each other in the pool, if they do so in the stream. */
const CHUNK = 65536;

/** Random bytes that chunks are cut from. */
const POOL = 1 << 20;

/** From one chunk's beginning in the pool to the next one's; a prime. */
const STEP = 4099;

/**
 * An endless stream of random bytes that both ends of a connection can make
 * from one seed, so that each byte that arrives is compared with what it ought
 * to be. That takes a twentieth of the time of a hash, which is time that the
 * programs under test have.
 */
export class RandomStream {
  readonly #pool: Uint8Array<ArrayBuffer>;
  #position = 0;

  private constructor(pool: Uint8Array<ArrayBuffer>) {
    this.#pool = pool;
  }

  /** A seed that nobody has seen before. */
  static newSeed(): Uint8Array<ArrayBuffer> {
    return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  }

  /** The stream of a seed, from its beginning. */
  static async of(seed: Uint8Array<ArrayBuffer>): Promise<RandomStream> {
    const { subtle } = crypto;
    const key = await subtle.importKey("raw", seed, "AES-CTR", false, [
      "encrypt",
    ]);
    const counter = new Uint8Array(16);
    const name = { name: "AES-CTR", counter, length: 64 };
    const zeros = new Uint8Array(POOL);
    return new RandomStream(
      new Uint8Array(await subtle.encrypt(name, key, zeros)),
    );
  }

  /** Bytes that have been taken from the stream. */
  get position(): number {
    return this.#position;
  }

  /** Takes the next bytes of the stream: some, at most so many. */
  next(most: number): Uint8Array<ArrayBuffer> {
    const into = this.#position % CHUNK;
    const number = (this.#position - into) / CHUNK;
    const bytes = this.chunk(number, Math.min(most, CHUNK - into), into);
    this.#position += bytes.length;
    return bytes;
  }

  /** Takes as many bytes and tells whether these are the same. */
  continuesWith(bytes: Uint8Array): boolean {
    let same = true;
    for (let done = 0; done < bytes.length;) {
      const expected = this.next(bytes.length - done);
      const end = done + expected.length;
      same &&= Buffer.compare(bytes.subarray(done, end), expected) === 0;
      done = end;
    }
    return same;
  }

  /**
   * Bytes of any chunk, wherever the stream is.
   *
   * @param size At most 65536, together with `from`.
   */
  chunk(number: number, size: number, from = 0): Uint8Array<ArrayBuffer> {
    const at = (number * STEP) % (POOL - CHUNK) + from;
    return this.#pool.subarray(at, at + size);
  }
}
