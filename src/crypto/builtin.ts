// The engine that is always there: WebAssembly of this program. It answers at
// once, as the native plane needs it, and takes neither a permission nor a
// library. AES looks nothing up at an address that depends on a secret, and so
// takes the same time whatever key and message are.
import type {
  AesKeyBytes,
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../satp/engine.ts";
import { copyOfKey } from "../satp/secrets.ts";
import { AES_SCRATCH_BYTES, AES_WASM } from "./aes_wasm.ts";
import { HMAC_LANES_BYTES, HmacLanes } from "./hmac_lanes.ts";
import { openKernel } from "./kernel.ts";

const MAX_KEY_BYTES = 32;

/** That the engine takes of its memory. */
export const BUILTIN_BYTES = HMAC_LANES_BYTES + AES_SCRATCH_BYTES +
  MAX_KEY_BYTES;

const PAGE_BYTES = 65536;

/** About 6 KiB, several times what the deepest call of this module takes. */
const SCRUBBED_FRAMES = 64;

/** An engine on a memory of its own. */
interface OpenedBuiltin {
  readonly engine: BuiltinEngine;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the room for messages begins, divisible by 64. */
  readonly freeAt: number;
}

/** @param room Bytes for messages */
export function openBuiltin(room: number): OpenedBuiltin {
  const freeAt = Math.ceil(BUILTIN_BYTES / 64) * 64;
  const pages = Math.ceil((freeAt + room) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { buffer } = memory;
  if (!(buffer instanceof ArrayBuffer)) {
    throw new TypeError("Cannot open an engine: its memory is shared");
  }
  const engine = new BuiltinEngine(memory, 0);
  return { engine, bytes: new Uint8Array(buffer), freeAt };
}

interface AesKernel {
  begin(scratchAt: number): void;
  ecb(
    scratchAt: number,
    keyAt: number,
    keyBytes: number,
    at: number,
    blocks: number,
  ): void;
  ctr(
    scratchAt: number,
    keyAt: number,
    keyBytes: number,
    counterAt: number,
    at: number,
    size: number,
  ): void;
}

/** For one thread and its memory. */
export class BuiltinEngine implements SyncCryptoEngine {
  readonly name = "builtin";
  readonly #bytes: Uint8Array;
  readonly #hmac: HmacLanes;
  readonly #aes: AesKernel;
  readonly #ctr: BuiltinCtr;
  readonly #keyAt: number;
  readonly #scratchAt: number;

  /**
   * @param memory Where all messages of this engine lie; of fixed size
   * @param at Divisible by 16; {@link BUILTIN_BYTES} are taken from there
   */
  constructor(memory: WebAssembly.Memory, at: number) {
    this.#bytes = new Uint8Array(memory.buffer);
    this.#hmac = new HmacLanes(memory, at);
    this.#keyAt = at + HMAC_LANES_BYTES;
    this.#scratchAt = this.#keyAt + MAX_KEY_BYTES;
    this.#aes = openKernel(AES_WASM, memory) as unknown as AesKernel;
    this.#aes.begin(this.#scratchAt);
    this.#ctr = new BuiltinCtr(this.#aes, this.#scratchAt);
  }

  /** @throws {RangeError} Unless the key has 16, 24 or 32 bytes */
  importMasterKey(key: Uint8Array): MasterKey {
    if (![16, 24, 32].includes(key.length)) {
      throw new RangeError(`Cannot use an AES key: it has ${key.length} bytes`);
    }
    const copy = copyOfKey(key);
    return {
      encrypt: (memory, at, blocks) => {
        this.#check(memory);
        this.#bytes.set(copy, this.#keyAt);
        this.#aes.ecb(this.#scratchAt, this.#keyAt, copy.length, at, blocks);
        this.#forget(copy.length);
      },
      close() {
        copy.fill(0);
        overwriteStack(SCRUBBED_FRAMES);
      },
    };
  }

  beginCipher(memory: Uint8Array, keyBytes: AesKeyBytes): Cipher {
    this.#check(memory);
    this.#ctr.keyBytes = keyBytes;
    return this.#ctr;
  }

  beginMac(memory: Uint8Array, _count: number): Mac {
    this.#check(memory);
    this.#hmac.begin();
    return this.#hmac;
  }

  // Compiled code puts on the stack what has no register, and leaves it there. A
  // key of zeros that the same code expands goes to the same places. What is left
  // by code that was replaced by better one in between goes with close().
  #forget(keyBytes: number): void {
    this.#bytes.fill(0, this.#keyAt, this.#keyAt + MAX_KEY_BYTES);
    this.#aes.ecb(this.#scratchAt, this.#keyAt, keyBytes, this.#keyAt, 0);
  }

  #check(memory: Uint8Array): void {
    if (memory.buffer === this.#bytes.buffer) return;
    throw new TypeError("Cannot work on a memory outside the engine's own");
  }
}

// What is called so rarely is interpreted, and the interpreter writes to every
// place of a frame.
function overwriteStack(frames: number): number {
  return frames === 0 ? 0 : 1 + overwriteStack(frames - 1);
}

class BuiltinCtr implements Cipher {
  keyBytes: AesKeyBytes = 16;
  readonly #aes: AesKernel;
  readonly #scratchAt: number;

  constructor(aes: AesKernel, scratchAt: number) {
    this.#aes = aes;
    this.#scratchAt = scratchAt;
  }

  /**
   * @param counterAt Only the last four of its 16 bytes count, without a carry to
   * the others
   */
  run(keyAt: number, counterAt: number, at: number, size: number): void {
    const { keyBytes } = this;
    this.#aes.ctr(this.#scratchAt, keyAt, keyBytes, counterAt, at, size);
  }

  flush(): void {}
}
