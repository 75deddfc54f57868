// Chain of keys: each epoch's master key and salt come from a chain key that
// moves forward alone (docs/key-chains.md).
import { type KdPrfName, keyBytes, SALT_BYTES } from "./params.ts";
import { copyOfKey, type MasterSecrets } from "./secrets.ts";

export const CHAIN_KEY_BYTES = 32;
/** Seconds. */
export const MIN_INTERVAL = 60;
export const MAX_INTERVAL = 2_592_000;
export const DEFAULT_INTERVAL = 3600;

/**
 * Epochs that a clock is followed ahead of what was heard: three months of the
 * shortest interval, 15 years of the usual one, and a few seconds of work.
 */
export const MAX_AHEAD = 2 ** 17;

/**
 * Epochs that are derived at once at most: derivations begin at one before what
 * was heard, and go to what a wrong clock may be off by.
 */
export const MAX_STEPS = MAX_AHEAD + 64;

/**
 * HKDF with SHA-256 and no salt, of at most 32 bytes (RFC 5869). What it
 * returns is overwritten later.
 */
export type Hkdf = (
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
) => Uint8Array;

/** A chain at one epoch: all that its file holds. */
export interface ChainLink {
  /** Seconds, 60 to 2 592 000. */
  readonly interval: number;
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** @param now Seconds since 1970 */
export function epochAt(now: number, interval: number): number {
  return Math.floor(now / interval);
}

export class KeyChain {
  readonly interval: number;
  readonly #hkdf: Hkdf;
  readonly #step: Uint8Array;
  /** The oldest epoch that can be derived, and its chain key. */
  #base: ChainLink;
  /** Derivations begin here, where it is not too late. */
  #near: ChainLink | undefined;

  /** @param link Copied; the caller overwrites its own */
  constructor(link: ChainLink, hkdf: Hkdf) {
    this.interval = link.interval;
    this.#hkdf = hkdf;
    this.#base = { ...link, key: copyOfKey(link.key) };
    const u32 = new DataView(new ArrayBuffer(4));
    u32.setUint32(0, link.interval);
    this.#step = joined(ascii("anytun chain 1 step"), u32.buffer);
  }

  /** The oldest epoch whose keys can be had. */
  get epoch(): number {
    return this.#base.epoch;
  }

  /**
   * Master key and master salt of an epoch; to be overwritten by the caller.
   * @throws {RangeError} if the epoch is erased, or too far ahead
   */
  secrets(
    epoch: number,
    kdPrf: Exclude<KdPrfName, "null">,
  ): MasterSecrets {
    const chain = this.link(epoch).key;
    const secrets = {
      key: this.#hkdf(chain, ascii("anytun chain 1 key"), keyBytes(kdPrf)),
      salt: this.#hkdf(chain, ascii("anytun chain 1 salt"), SALT_BYTES),
    };
    chain.fill(0);
    return secrets;
  }

  /**
   * The chain at an epoch, for its file; to be overwritten by the caller.
   * @throws {RangeError} as {@link secrets}
   */
  link(epoch: number): ChainLink {
    const near = this.#near !== undefined && this.#near.epoch <= epoch
      ? this.#near
      : this.#base;
    const steps = epoch - near.epoch;
    if (!(steps >= 0 && steps <= MAX_STEPS)) {
      throw new RangeError(
        `Cannot derive the keys of epoch ${epoch}: the chain is at ` +
          `${near.epoch}, it must be at most ${MAX_STEPS} epochs before`,
      );
    }
    let key: Uint8Array = copyOfKey(near.key);
    for (let step = 0; step < steps; step++) {
      const next = this.#hkdf(key, this.#step, CHAIN_KEY_BYTES);
      key.fill(0);
      key = next;
    }
    return { interval: this.interval, epoch, key };
  }

  /** Has what comes from this epoch on ready at hand, and loses nothing. */
  approach(epoch: number): void {
    if (epoch === (this.#near ?? this.#base).epoch) return;
    const near = this.link(epoch);
    this.#near?.key.fill(0);
    this.#near = near;
  }

  /** Makes it impossible to derive anything older. */
  eraseBefore(epoch: number): void {
    if (epoch <= this.#base.epoch) return;
    const base = this.link(epoch);
    this.#base.key.fill(0);
    this.#base = base;
    if (this.#near === undefined || this.#near.epoch > epoch) return;
    this.#near.key.fill(0);
    this.#near = undefined;
  }

  /** Ends its use. */
  erase(): void {
    this.#base.key.fill(0);
    this.#near?.key.fill(0);
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(head: Uint8Array, tail: ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(tail), head.length);
  return bytes;
}
