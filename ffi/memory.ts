// Memory whose addresses native code may keep.

const PAGE_SIZE = 65536;

/** A power of two. */
const KEPT_POINTERS = 16384;

const KEPT_SHIFT = 32 - Math.log2(KEPT_POINTERS);

/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b1;

/** What a place has that was never used: the pointer at hand is right for it. */
const UNUSED = 0;

/**
 * Owner of every byte whose address the kernel or a library sees. It never takes
 * a place back: a program lays out its buffers once, at start.
 * An address in a native struct is invisible to the garbage collector. So the
 * arena must stay reachable for as long as any pointer or address it gave out is
 * in use; until then its bytes, those of a WebAssembly memory of fixed size, never
 * move.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** For offsets divisible by 4. */
  readonly words: Uint32Array<ArrayBuffer>;

  readonly #base: Deno.PointerObject;
  readonly #baseAddress: bigint;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  readonly #pointers: Deno.PointerObject[];
  readonly #offsets = new Uint32Array(KEPT_POINTERS);
  #taken = 0;

  /** @param size Rounded up to whole pages of 64 KiB. */
  constructor(size: number) {
    const pages = Math.ceil(size / PAGE_SIZE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    if (!(buffer instanceof ArrayBuffer)) {
      throw new TypeError("Cannot make an arena: its memory is shared");
    }
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
    const base = Deno.UnsafePointer.of(this.bytes);
    if (base === null) {
      throw new RangeError(`Cannot make an arena: its size is ${size}`);
    }
    this.#base = base;
    this.#pointers = Array(KEPT_POINTERS).fill(base);
    this.#baseAddress = Deno.UnsafePointer.value(base);
    this.#baseLow = Number(BigInt.asIntN(32, this.#baseAddress));
    this.#baseHigh = Number(this.#baseAddress >> 32n);
  }

  get free(): number {
    return this.bytes.length - this.#taken;
  }

  /**
   * The bytes are zero.
   * @param alignment A power of two that divides the offset and, up to the page
   * size, the address.
   */
  take(size: number, alignment = 8): number {
    const offset = Math.ceil(this.#taken / alignment) * alignment;
    if (offset + size > this.bytes.length) {
      throw new RangeError(
        `Cannot take ${size} bytes of the arena: ${this.free} of ${this.bytes.length} are free`,
      );
    }
    this.#taken = offset + size;
    return offset;
  }

  /**
   * Pointer objects are kept, so that recurring offsets on a hot path make
   * none. Each offset has two places among those kept, which it may lose to
   * others: cheaper than a Map, and bounded. With one place each, a few of the
   * hundreds that a batch needs would take turns in theirs.
   */
  pointer(offset: number): Deno.PointerObject {
    const place = Math.imul(offset, GOLDEN) >>> KEPT_SHIFT;
    return this.#offsets[place] === offset
      ? this.#pointers[place] ?? this.#base
      : this.#secondPointer(offset, place);
  }

  address(offset: number): bigint {
    this.check(offset, 1);
    return this.#baseAddress + BigInt(offset);
  }

  /**
   * Writes an address into a native struct, without the price of a bigint.
   * @param at Divisible by 4.
   */
  storeAddress(at: number, offset: number): void {
    this.check(offset, 1);
    // 32 bit integers throughout, which the compiler keeps out of floating
    // point.
    const low = (this.#baseLow + offset) | 0;
    const carry = (low >>> 0) < (offset >>> 0) ? 1 : 0;
    this.words[at >>> 2] = low;
    this.words[(at >>> 2) + 1] = this.#baseHigh + carry;
  }

  check(offset: number, size: number): void {
    // Written so that NaN fails as well.
    if (offset >= 0 && size >= 0 && offset + size <= this.bytes.length) return;
    throw new RangeError(
      `Cannot access the arena: ${size} bytes at ${offset} of ${this.bytes.length}`,
    );
  }

  /** For setting up and tests; too slow for a hot path. */
  slice(offset: number, size: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(offset, offset + size);
  }

  // Apart from pointer(), which is so short that it is part of its callers.
  #secondPointer(offset: number, place: number): Deno.PointerObject {
    return this.#offsets[place ^ 1] === offset
      ? this.#pointers[place ^ 1] ?? this.#base
      : this.#makePointer(offset, place);
  }

  #makePointer(offset: number, place: number): Deno.PointerObject {
    this.check(offset, 1);
    const pointer = Deno.UnsafePointer.offset(this.#base, offset);
    if (pointer === null) {
      throw new RangeError(`Cannot point into the arena: offset is ${offset}`);
    }
    const before = this.#offsets[place] ?? UNUSED;
    if (before !== UNUSED) {
      this.#offsets[place ^ 1] = before;
      this.#pointers[place ^ 1] = this.#pointers[place] ?? this.#base;
    }
    this.#offsets[place] = offset;
    this.#pointers[place] = pointer;
    return pointer;
  }
}
