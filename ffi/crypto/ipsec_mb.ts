// The multi-buffer library libIPSec_MB (x86-64): it works on up to sixteen
// datagrams side by side, each in its own lane of the vector registers, which
// the HMACs of many short messages gain most from.
//
// Its jobs are structs of its header file, and pointers in one say which
// variants of its functions fit the processor. So only versions are used whose
// layout is known: 1.3 (Debian 12) and 2.0 (Debian 13).

import type { AesKeySize } from "./openssl.ts";
import { type ExportedName, exportedName } from "./dladdr.ts";
import { openFirst, textAt } from "../library.ts";

const SYMBOLS = {
  imb_get_version_str: {
    parameters: [],
    result: "pointer", // const char *
  },
  alloc_mb_mgr: {
    parameters: ["u64" /* uint64_t flags */],
    result: "pointer", // IMB_MGR *
  },
  free_mb_mgr: {
    parameters: ["pointer" /* IMB_MGR *state */],
    result: "void",
  },
  init_mb_mgr_auto: {
    parameters: [
      "pointer", // IMB_MGR *state
      "pointer", // IMB_ARCH *arch
    ],
    result: "void",
  },
  // The vector registers do not matter for these: AES-NI expands keys in all.
  aes_keyexp_128_enc_sse: {
    parameters: [
      "pointer", // const void *key
      "pointer", // void *enc_exp_keys
    ],
    result: "void",
  },
  aes_keyexp_192_enc_sse: {
    parameters: [
      "pointer", // const void *key
      "pointer", // void *enc_exp_keys
    ],
    result: "void",
  },
  aes_keyexp_256_enc_sse: {
    parameters: [
      "pointer", // const void *key
      "pointer", // void *enc_exp_keys
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

function openVariants(cipherBurst: ExportedName, hashBurst: ExportedName) {
  return Deno.dlopen(cipherBurst.file, {
    cipherBurst: {
      name: cipherBurst.name,
      parameters: [
        "pointer", // IMB_MGR *state
        "pointer", // IMB_JOB *jobs
        "u32", // const uint32_t n_jobs
        "i32", // const IMB_CIPHER_MODE cipher
        "i32", // const IMB_CIPHER_DIRECTION dir
        "i32", // const IMB_KEY_SIZE_BYTES key_size
      ],
      result: "u32",
    },
    hashBurst: {
      name: hashBurst.name,
      parameters: [
        "pointer", // IMB_MGR *state
        "pointer", // IMB_JOB *jobs
        "u32", // const uint32_t n_jobs
        "i32", // const IMB_HASH_ALG hash
      ],
      result: "u32",
    },
  });
}

export type IpsecMbLibrary = Pick<
  Deno.DynamicLibrary<typeof SYMBOLS>,
  "symbols" | "close"
>;

/** The newest first. */
const LIBRARY_NAMES = ["libIPSec_MB.so.2", "libIPSec_MB.so.1"];

/** Of an IMB_JOB, by version. */
const JOB_BYTES: ReadonlyMap<string, number> = new Map([
  ["1.3", 200],
  ["2.0", 216],
]);

// IMB_MGR, the same in both versions
const FEATURES_AT = 8;
const CIPHER_BURST_AT = 984;
const HASH_BURST_AT = 1000;

const IMB_FEATURE_AESNI = 2;
const IMB_CIPHER_CNTR = 2;
const IMB_DIR_ENCRYPT = 1;
const IMB_AUTH_HMAC_SHA_1 = 1;

/** IMB_MAX_BURST_SIZE: jobs that one call takes at most. */
export const MAX_BURST = 128;

class IpsecMbError extends Error {
  override readonly name = "IpsecMbError";
}

/**
 * @throws {Deno.errors.NotCapable} Without the permission --allow-ffi.
 * @throws {IpsecMbError} When no library of these names can be opened, lacks
 * something, is of an unknown version, or the processor lacks AES.
 */
export function openIpsecMb(
  names: readonly string[] = LIBRARY_NAMES,
): IpsecMb {
  const library = openFirst(
    names,
    SYMBOLS,
    (reasons) => new IpsecMbError(`Cannot open libIPSec_MB: ${reasons}`),
  );
  try {
    return new IpsecMb(library);
  } catch (error) {
    library.close();
    throw error;
  }
}

/** Every thread opens its own; nothing is left between two calls. */
export class IpsecMb {
  readonly version: string;
  readonly jobBytes: number;
  readonly #library: IpsecMbLibrary;
  readonly #variants: ReturnType<typeof openVariants>;
  #manager: Deno.PointerValue;

  /** @param library Belongs to this from now on, unless this throws. */
  constructor(library: IpsecMbLibrary) {
    const { symbols } = library;
    this.#library = library;
    this.version = textAt(symbols.imb_get_version_str());
    this.jobBytes = jobBytesOf(this.version);
    const manager = newManager(library);
    try {
      const view = new Deno.UnsafePointerView(manager);
      checkProcessor(view);
      this.#variants = openVariants(
        variantAt(view, CIPHER_BURST_AT),
        variantAt(view, HASH_BURST_AT),
      );
    } catch (error) {
      symbols.free_mb_mgr(manager);
      throw error;
    }
    this.#manager = manager;
  }

  /** @param expanded Room for 176, 208 or 240 bytes, divisible by 16. */
  expandKey(
    size: AesKeySize,
    key: Deno.PointerObject,
    expanded: Deno.PointerObject,
  ): void {
    this.#opened();
    const { symbols } = this.#library;
    switch (size) {
      case 16:
        return symbols.aes_keyexp_128_enc_sse(key, expanded);
      case 24:
        return symbols.aes_keyexp_192_enc_sse(key, expanded);
      case 32:
        return symbols.aes_keyexp_256_enc_sse(key, expanded);
    }
  }

  /** AES-CTR; at most {@linkcode MAX_BURST} jobs. */
  encrypt(jobs: Deno.PointerObject, count: number, keySize: AesKeySize): void {
    const done = this.#variants.symbols.cipherBurst(
      this.#opened(),
      jobs,
      count,
      IMB_CIPHER_CNTR,
      IMB_DIR_ENCRYPT,
      keySize,
    );
    checkDone(done, count, "encrypt");
  }

  /** HMAC-SHA1; at most {@linkcode MAX_BURST} jobs. */
  authenticate(jobs: Deno.PointerObject, count: number): void {
    const done = this.#variants.symbols.hashBurst(
      this.#opened(),
      jobs,
      count,
      IMB_AUTH_HMAC_SHA_1,
    );
    checkDone(done, count, "authenticate");
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#manager === null) return;
    this.#library.symbols.free_mb_mgr(this.#manager);
    this.#manager = null;
    this.#variants.close();
    this.#library.close();
  }

  #opened(): Deno.PointerObject {
    if (this.#manager !== null) return this.#manager;
    throw new IpsecMbError("Cannot use libIPSec_MB: it is closed");
  }
}

function jobBytesOf(version: string): number {
  const bytes = JOB_BYTES.get(version.split(".", 2).join("."));
  if (bytes !== undefined) return bytes;
  const known = [...JOB_BYTES.keys()].join(" and ");
  throw new IpsecMbError(
    `Cannot use libIPSec_MB: its version is ${version}, known are ${known}`,
  );
}

function newManager({ symbols }: IpsecMbLibrary): Deno.PointerObject {
  const manager = symbols.alloc_mb_mgr(0n);
  if (manager === null) {
    throw new IpsecMbError("Cannot make a manager of jobs: out of memory");
  }
  symbols.init_mb_mgr_auto(manager, null);
  return manager;
}

function checkProcessor(manager: Deno.UnsafePointerView): void {
  const features = manager.getUint32(FEATURES_AT);
  if ((features & IMB_FEATURE_AESNI) !== 0) return;
  throw new IpsecMbError(
    "Cannot use libIPSec_MB: the processor has no instructions for AES",
  );
}

function variantAt(manager: Deno.UnsafePointerView, at: number): ExportedName {
  const pointer = manager.getPointer(at);
  const found = pointer === null ? undefined : exportedName(pointer);
  if (found !== undefined) return found;
  throw new IpsecMbError(
    "Cannot use libIPSec_MB: it does not export what it uses",
  );
}

function checkDone(done: number, count: number, what: string): void {
  if (done === count) return;
  throw new IpsecMbError(
    `Cannot ${what} in a burst: ${done} of ${count} jobs were done`,
  );
}
