/**
 * Memory that native code may hold on to.
 *
 * @module
 */

/** Bytes in a page of WebAssembly memory. */
const PAGE_SIZE = 65536;

/** Pointer objects kept at most, a power of two; see {@linkcode Arena.pointer}. */
const KEPT_POINTERS = 16384;

/** Leaves as many bits of a hash as a place among those has. */
const KEPT_SHIFT = 32 - Math.log2(KEPT_POINTERS);

/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b1;

/** In the list of offsets: no pointer is kept here. */
const NONE = 0xffffffff;

/**
 * Owner of every byte whose address a kernel or a library sees. It hands out
 * places and never takes one back: a program lays out its buffers once, at
 * start.
 *
 * An address stored in a native struct is invisible to the garbage collector,
 * which frees or moves what only such an address refers to. So the arena must
 * stay reachable for as long as any pointer or address it gave out is in use;
 * within that time its bytes never move.
 *
 * The bytes are those of a WebAssembly memory of fixed size, so that a
 * WebAssembly module can work on the packets where they lie.
 */
export class Arena {
  /** The memory, to import into a WebAssembly module. */
  readonly memory: WebAssembly.Memory;
  /** All bytes of the arena; an offset counts from its start. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes, for fields of native structs. */
  readonly view: DataView<ArrayBuffer>;
  /** The same bytes as words of the machine, for offsets divisible by 4. */
  readonly words: Uint32Array<ArrayBuffer>;

  readonly #base: Deno.PointerObject;
  readonly #baseAddress: bigint;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  readonly #pointers: Deno.PointerObject[];
  readonly #offsets = new Uint32Array(KEPT_POINTERS).fill(NONE);
  #taken = 0;

  /**
   * @param size Bytes needed, rounded up to whole pages of 64 KiB.
   * @throws {RangeError} When the memory cannot be had.
   */
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

  /** Bytes not yet taken. */
  get free(): number {
    return this.bytes.length - this.#taken;
  }

  /**
   * Takes a place nobody else has. Its bytes are zero.
   *
   * @param size Bytes.
   * @param alignment A power of two that divides the offset, and, up to the
   * page size, the address.
   * @returns The offset of the place.
   * @throws {RangeError} When the arena has no such place left.
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
   * The pointer to an offset, for a `pointer` parameter. Pointer objects are
   * kept and given out again, so that on a hot path with recurring offsets none
   * is made. Each offset has one place among those kept, which it may lose to
   * another: cheaper than a Map, and bounded.
   *
   * @param offset An offset inside the arena.
   * @throws {RangeError} When the offset lies outside.
   */
  pointer(offset: number): Deno.PointerObject {
    const place = Math.imul(offset, GOLDEN) >>> KEPT_SHIFT;
    return this.#offsets[place] === offset
      ? this.#pointers[place] ?? this.#base
      : this.#makePointer(offset, place);
  }

  /**
   * The address of an offset, to be stored in a native struct.
   *
   * @param offset An offset inside the arena.
   * @throws {RangeError} When the offset lies outside.
   */
  address(offset: number): bigint {
    this.check(offset, 1);
    return this.#baseAddress + BigInt(offset);
  }

  /**
   * Stores the address of an offset in a native struct, without the price of a
   * bigint.
   *
   * @param at Where the struct has the address, divisible by 4.
   * @param offset An offset inside the arena.
   * @throws {RangeError} When the offset lies outside.
   */
  storeAddress(at: number, offset: number): void {
    this.check(offset, 1);
    // 32 bit integers all the way: the compiler need not think of fractions.
    const low = (this.#baseLow + offset) | 0;
    const carry = (low >>> 0) < (offset >>> 0) ? 1 : 0;
    this.words[at >>> 2] = low;
    this.words[(at >>> 2) + 1] = this.#baseHigh + carry;
  }

  /**
   * Makes sure that a place is inside the arena before the kernel is sent there.
   *
   * @param offset Where the place begins.
   * @param size Its bytes.
   * @throws {RangeError} When it is not inside.
   */
  check(offset: number, size: number): void {
    // Written so that NaN fails as well.
    if (offset >= 0 && size >= 0 && offset + size <= this.bytes.length) return;
    throw new RangeError(
      `Cannot access the arena: ${size} bytes at ${offset} of ${this.bytes.length}`,
    );
  }

  /**
   * A part of the arena as an array of its own, for setting up and tests; too
   * dear for a hot path.
   *
   * @param offset An offset inside the arena.
   * @param size Bytes.
   */
  slice(offset: number, size: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(offset, offset + size);
  }

  #makePointer(offset: number, place: number): Deno.PointerObject {
    this.check(offset, 1);
    const pointer = Deno.UnsafePointer.offset(this.#base, offset);
    if (pointer === null) {
      throw new RangeError(`Cannot point into the arena: offset is ${offset}`);
    }
    this.#offsets[place] = offset;
    this.#pointers[place] = pointer;
    return pointer;
  }
}
