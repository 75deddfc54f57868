// OpenSSL's libcrypto, versions 3 and 1.1, as a typed symbol table. `libc.ts`
// says how parameters are declared and why.

import { openFirst, textAt } from "../library.ts";

const SYMBOLS = {
  OPENSSL_init_crypto: {
    parameters: [
      "u64", // uint64_t opts
      "pointer", // const OPENSSL_INIT_SETTINGS *settings
    ],
    result: "i32",
  },
  OpenSSL_version: {
    parameters: ["i32" /* int type */],
    result: "pointer", // const char *
  },

  // Ciphers
  EVP_CIPHER_CTX_new: {
    parameters: [],
    result: "pointer", // EVP_CIPHER_CTX *
  },
  EVP_CIPHER_CTX_free: {
    parameters: ["pointer" /* EVP_CIPHER_CTX *ctx */],
    result: "void",
  },
  EVP_EncryptInit_ex: {
    parameters: [
      "pointer", // EVP_CIPHER_CTX *ctx
      "pointer", // const EVP_CIPHER *type
      "pointer", // ENGINE *impl
      "pointer", // const unsigned char *key
      "pointer", // const unsigned char *iv
    ],
    result: "i32",
  },
  EVP_EncryptInit_key: {
    name: "EVP_EncryptInit_ex",
    parameters: [
      "pointer", // EVP_CIPHER_CTX *ctx
      "pointer", // const EVP_CIPHER *type
      "pointer", // ENGINE *impl
      "buffer", // const unsigned char *key
      "pointer", // const unsigned char *iv
    ],
    result: "i32",
  },
  EVP_EncryptUpdate: {
    parameters: [
      "pointer", // EVP_CIPHER_CTX *ctx
      "pointer", // unsigned char *out
      "pointer", // int *outl
      "pointer", // const unsigned char *in
      "i32", // int inl
    ],
    result: "i32",
  },
  EVP_aes_128_ecb: { parameters: [], result: "pointer" },
  EVP_aes_192_ecb: { parameters: [], result: "pointer" },
  EVP_aes_256_ecb: { parameters: [], result: "pointer" },
  EVP_aes_128_ctr: { parameters: [], result: "pointer" },
  EVP_aes_192_ctr: { parameters: [], result: "pointer" },
  EVP_aes_256_ctr: { parameters: [], result: "pointer" },

  // Digests
  SHA1_Init: {
    parameters: ["pointer" /* SHA_CTX *c */],
    result: "i32",
  },
  SHA1_Update: {
    parameters: [
      "pointer", // SHA_CTX *c
      "pointer", // const void *data
      "u32", // size_t len
    ],
    result: "i32",
  },
  SHA1_Transform: {
    parameters: [
      "pointer", // SHA_CTX *c
      "pointer", // const unsigned char *data, of 64 bytes
    ],
    result: "void",
  },
  SHA1_Final: {
    parameters: [
      "pointer", // unsigned char *md
      "pointer", // SHA_CTX *c
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type LibcryptoSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Every thread opens its own. */
export interface Libcrypto {
  readonly symbols: LibcryptoSymbols;
  /** Such as `OpenSSL 3.0.17 1 Jul 2025`. */
  readonly version: string;
  /** Nothing made with it may be used afterwards. The code itself stays loaded. */
  close(): void;
}

export class LibcryptoError extends Error {
  override readonly name = "LibcryptoError";
}

/** The newest first. */
const LIBRARY_NAMES = ["libcrypto.so.3", "libcrypto.so.1.1"];

/** Keeps OpenSSL from tidying up while workers still use it, at exit. */
const OPENSSL_INIT_NO_ATEXIT = 0x00080000n;

const VERSION_TEXT = 0;

/**
 * @throws {Deno.errors.NotCapable} Without the permission --allow-ffi.
 * @throws {LibcryptoError} When no library of these names can be opened, or what is
 * opened lacks a function.
 */
export function openLibcrypto(
  names: readonly string[] = LIBRARY_NAMES,
): Libcrypto {
  const library = openFirst(
    names,
    SYMBOLS,
    (reasons) =>
      new LibcryptoError(`Cannot open OpenSSL's libcrypto: ${reasons}`),
  );
  const { symbols } = library;
  symbols.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, null);
  return {
    symbols,
    version: textAt(symbols.OpenSSL_version(VERSION_TEXT)),
    close: () => library.close(),
  };
}
