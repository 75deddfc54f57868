// Bytes of inputs: the choices that they make, read from the start.

/** What lies beyond the end is 0, so that every input means something. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u16(): number {
    return this.byte() << 8 | this.byte();
  }

  u32(): number {
    return (this.u16() * 0x10000 + this.u16()) >>> 0;
  }

  /** As many as there are, `size` at most; the caller's to change. */
  take(size: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + size);
    this.#at += size;
    return taken;
  }
}

export function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

/** FNV-1a: enough to choose by, and nothing to rely on. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ hash >>> 16) >>> 0;
}
