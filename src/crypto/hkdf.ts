// HKDF (RFC 5869) with SHA-256 and without salt, for outputs of one hash.
import { roomForKey } from "../satp/secrets.ts";
import { sha256, SHA256_BLOCK_BYTES, SHA256_BYTES } from "./sha256.ts";

const INNER = 0x36;
const OUTER = 0x5c;

/**
 * @param length At most 32 bytes
 * @returns Memory that the collector does not move, to be overwritten
 */
export function hkdf(
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (length > SHA256_BYTES) {
    throw new RangeError(
      `Cannot derive ${length} bytes: it must be at most ${SHA256_BYTES}`,
    );
  }
  // Section 2.2: the salt that is none is zeros of a hash's length.
  const prk = hmac(new Uint8Array(SHA256_BYTES), ikm);
  // Section 2.3: the first block alone.
  const block = roomForKey(info.length + 1);
  block.set(info);
  block[info.length] = 1;
  const okm = hmac(prk, block);
  prk.fill(0);
  const output = roomForKey(length);
  output.set(okm.subarray(0, length));
  okm.fill(0);
  return output;
}

/** HMAC (RFC 2104) with a key of at most a block. */
function hmac(key: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const inner = sha256Behind(key, INNER, data);
  const tag = sha256Behind(key, OUTER, inner);
  inner.fill(0);
  return tag;
}

function sha256Behind(
  key: Uint8Array,
  pad: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = roomForKey(SHA256_BLOCK_BYTES + data.length);
  for (let k = 0; k < SHA256_BLOCK_BYTES; k++) message[k] = (key[k] ?? 0) ^ pad;
  message.set(data, SHA256_BLOCK_BYTES);
  const digest = sha256(message);
  message.fill(0);
  return digest;
}
