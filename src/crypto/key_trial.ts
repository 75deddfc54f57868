// Trial of keys on single datagrams, away from the packets.
import { DatagramBatch } from "../satp/batch.ts";
import { faultOf } from "../satp/batch_codec.ts";
import { MAX_DATAGRAM_BYTES } from "../satp/header.ts";
import { KeySchedule } from "../satp/key_derivation.ts";
import {
  oppositeRole,
  type Role,
  type SatpParameters,
} from "../satp/params.ts";
import { authenticateBatch } from "../satp/pipeline.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { type BuiltinEngine, openBuiltin } from "./builtin.ts";

export class KeyTrial {
  readonly #engine: BuiltinEngine;
  readonly #batch: DatagramBatch;

  constructor(params: SatpParameters) {
    const room = DatagramBatch.slottedBytes(params, 1, MAX_DATAGRAM_BYTES);
    const { engine, bytes, freeAt } = openBuiltin(room);
    this.#engine = engine;
    this.#batch = DatagramBatch.slotted(
      bytes,
      params,
      1,
      MAX_DATAGRAM_BYTES,
      freeAt,
    );
  }

  /** Whether the peer of this role has sealed it; without a tag nothing tells. */
  opens(
    datagram: Uint8Array,
    { key, salt }: MasterSecrets,
    own: Role,
  ): boolean {
    const batch = this.#batch;
    const { tagLength } = batch.params;
    if (tagLength === 0 || faultOf(datagram.length, tagLength) !== null) {
      return false;
    }
    const master = this.#engine.importMasterKey(key);
    try {
      batch.memory.set(datagram, batch.startOf(0));
      batch.count = 1;
      batch.size[0] = datagram.length - tagLength;
      batch.wanted[0] = 1;
      const schedule = new KeySchedule(master, salt, oppositeRole(own));
      authenticateBatch(this.#engine, batch, [schedule]);
      return batch.wanted[0] === 1;
    } finally {
      master.close();
      batch.wipe();
    }
  }
}
