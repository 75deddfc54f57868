// The key chain of one connection that a control daemon serves
// (docs/key-chains.md, "Clusters").
import { hkdf } from "../crypto/hkdf.ts";
import {
  type ChainLink,
  epochAt,
  KeyChain,
  MAX_STEPS,
} from "../satp/key_chain.ts";
import { type KdPrfName, kdPrfOf } from "../satp/params.ts";
import { wipeSecrets } from "../satp/secrets.ts";
import { encodeRecord } from "../sync/encode.ts";
import type { ConnectionRecord } from "../sync/record.ts";

export class ServedChain {
  readonly #chain: KeyChain;
  readonly #record: ConnectionRecord;
  readonly #version: number | undefined;
  #epoch = -1;
  #text = "";

  /**
   * @param link Copied; the caller overwrites its own
   * @param version Of the archive library
   * @param now Milliseconds since 1970
   * @throws if it is of no use for the connection, or too far behind
   */
  constructor(
    link: ChainLink,
    record: ConnectionRecord,
    version: number | undefined,
    now: number,
  ) {
    this.#chain = new KeyChain(link, hkdf);
    this.#record = record;
    this.#version = version;
    try {
      kdPrfWithKeys(record);
      const present = epochAt(now / 1000, link.interval);
      this.#chain.link(Math.max(present, link.epoch)).key.fill(0);
    } catch (error) {
      this.erase();
      throw error;
    }
  }

  erase(): void {
    this.#chain.erase();
  }

  /**
   * The record with the keys of now. Neither a clock that is set back nor one
   * beyond all bounds is followed.
   */
  text(now: number): string {
    const chain = this.#chain;
    const present = epochAt(now / 1000, chain.interval);
    const floor = Math.max(chain.epoch, this.#epoch);
    const isLost = present - floor > MAX_STEPS;
    const epoch = isLost ? floor : Math.max(floor, present);
    if (epoch === this.#epoch) return this.#text;
    const secrets = chain.secrets(epoch, kdPrfWithKeys(this.#record));
    chain.approach(epoch);
    this.#epoch = epoch;
    const record = { ...this.#record, secrets };
    this.#text = encodeRecord(record, this.#version);
    wipeSecrets(secrets);
    return this.#text;
  }

  /** Milliseconds until an epoch begins. */
  untilNext(now: number): number {
    const interval = this.#chain.interval * 1000;
    return interval - now % interval;
  }
}

function kdPrfWithKeys(
  { mux, secrets }: ConnectionRecord,
): Exclude<KdPrfName, "null"> {
  const kdPrf = kdPrfOf(secrets.key.length);
  if (kdPrf !== undefined && kdPrf !== "null") return kdPrf;
  throw new Error(`connection ${mux} has key derivation null, and no keys`);
}
