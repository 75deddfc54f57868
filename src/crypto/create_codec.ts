// Codec on WebCrypto from plain options.
import { SatpCodec } from "../satp/codec.ts";
import { schedulePair } from "../satp/key_derivation.ts";
import {
  idOption,
  type SatpOptions,
  satpParameters,
  satpRole,
  satpSecrets,
} from "./satp_options.ts";
import { WebCryptoEngine } from "./webcrypto.ts";

/** Options of {@link createSatpCodec}; names and defaults as in anytun(8). */
export interface SatpCodecOptions extends SatpOptions {
  /** Mux of sealed datagrams, 0 to 65535; default 0. */
  readonly mux?: number;
  /** Sender id of sealed datagrams, 0 to 65535; default 0. */
  readonly senderId?: number;
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
  const params = satpParameters(options);
  const role = satpRole(options.role);
  const secrets = await satpSecrets(options, params.kdPrf);
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
