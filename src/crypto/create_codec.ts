/**
 * A codec on WebCrypto from plain options: the library's first door.
 *
 * @module
 */
import { SatpCodec } from "../satp/codec.ts";
import { SatpError } from "../satp/errors.ts";
import { bytesFromHex } from "../satp/hex.ts";
import {
  type AuthAlgo,
  cipherFromName,
  type CipherName,
  effectiveParameters,
  type KdPrfName,
  roleFromName,
} from "../satp/params.ts";
import { schedulePair } from "../satp/schedule.ts";
import { masterSecrets } from "../satp/secrets.ts";
import { digestWith, WebCryptoEngine } from "./webcrypto.ts";

/** Options of {@link createSatpCodec}; names and defaults as in anytun(8). */
export interface SatpCodecOptions {
  /** Payload cipher; default `aes-ctr-128`. */
  readonly cipher?: CipherName | "aes-ctr";
  /** Key derivation; default `aes-ctr-128`. */
  readonly kdPrf?: KdPrfName | "aes-ctr";
  /** Authentication; default `sha1`. */
  readonly authAlgo?: AuthAlgo;
  /** Bytes of the tag, 0 to 20; default 10. */
  readonly authTagLength?: number;
  /** Own role; the peer has the other one. Default `left`. */
  readonly role?: "left" | "right" | "alice" | "bob" | "server" | "client";
  /** Mux of sealed datagrams, 0 to 65535; default 0. */
  readonly mux?: number;
  /** Sender id of sealed datagrams, 0 to 65535; default 0. */
  readonly senderId?: number;
  /** Where key and salt come from unless they are given. */
  readonly passphrase?: string;
  /** Master key of 16, 24 or 32 bytes as `kdPrf` says; hex text or bytes. */
  readonly key?: string | Uint8Array;
  /** Master salt of 14 bytes; hex text or bytes. */
  readonly salt?: string | Uint8Array;
}

/**
 * Makes a codec that seals datagrams for a peer and opens those that the peer
 * sealed, with the bytes of anytun 0.3.8 (SATP sections 1 to 4). It runs on
 * WebCrypto and needs no permission.
 *
 * @param options Shared with the peer, except `role`
 * @throws {SatpError} BAD_KEY or BAD_SALT if one is missing, is not
 * hexadecimal or has a wrong length; BAD_PARAMETER for any other option
 *
 * @example Two peers
 * ```ts
 * import { createSatpCodec } from "@anytun/anytun";
 * import { strict as assert } from "node:assert";
 *
 * const passphrase = "only an example";
 * const left = await createSatpCodec({ role: "left", passphrase });
 * const right = await createSatpCodec({ role: "right", passphrase });
 *
 * const payload = new Uint8Array([0x45, 0, 0, 20]);
 * const datagram = await left.seal({ seq: 7, payloadType: 0x0800, payload });
 * assert.equal(datagram.length, 10 + payload.length + 10);
 *
 * const packet = await right.open(datagram);
 * assert.equal(packet.seq, 7);
 * assert.deepEqual(packet.payload, payload);
 * ```
 */
export async function createSatpCodec(
  options: SatpCodecOptions,
): Promise<SatpCodec> {
  const params = effectiveParameters({
    cipher: cipherOption("cipher", options.cipher),
    kdPrf: cipherOption("kdPrf", options.kdPrf),
    authAlgo: authOption(options.authAlgo),
    tagLength: options.authTagLength ?? 10,
  });
  const role = roleFromName(options.role ?? "left");
  if (role === undefined) throw badOption("role", options.role);
  const secrets = await masterSecrets(params.kdPrf, {
    passphrase: options.passphrase,
    key: bytesOption("BAD_KEY", options.key),
    salt: bytesOption("BAD_SALT", options.salt),
  }, digestWith(crypto.subtle));
  const engine = new WebCryptoEngine(crypto.subtle);
  const schedules = await schedulePair(engine, secrets, role);
  return new SatpCodec(
    engine,
    params,
    schedules,
    idOption("mux", options.mux),
    idOption("senderId", options.senderId),
  );
}

function cipherOption(name: string, value: string | undefined): CipherName {
  const cipher = cipherFromName(value ?? "aes-ctr");
  if (cipher === undefined) throw badOption(name, value);
  return cipher;
}

function authOption(value: string | undefined): AuthAlgo {
  if (value === undefined || value === "sha1") return "sha1";
  if (value === "null") return "null";
  throw badOption("authAlgo", value);
}

function idOption(name: string, value: number | undefined): number {
  const id = value ?? 0;
  if (!Number.isInteger(id) || id < 0 || id > 0xffff) throw badOption(name, id);
  return id;
}

// The value is a secret, so that the error must not show it.
function bytesOption(
  code: "BAD_KEY" | "BAD_SALT",
  value: string | Uint8Array | undefined,
): Uint8Array | undefined {
  if (typeof value !== "string") return value;
  const bytes = bytesFromHex(value);
  if (bytes !== undefined) return bytes;
  const what = code === "BAD_KEY" ? "key" : "salt";
  throw new SatpError(
    code,
    `Cannot use the ${what}: it must be hexadecimal digits, two for each byte`,
  );
}

function badOption(name: string, value: unknown): SatpError {
  return new SatpError("BAD_PARAMETER", `Cannot use ${name} ${value}`);
}
