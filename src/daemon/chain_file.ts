// File of a key chain that a daemon moves on, perhaps one of several.
import type { Identity } from "../../ffi/process/identity.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { type ChainLink, KeyChain } from "../satp/key_chain.ts";
import { formatChainFile, parseChainFile } from "../satp/key_chain_file.ts";
import type { Role } from "../satp/params.ts";
import { sameBytes } from "../satp/same_bytes.ts";

/** A file that is replaced as a whole. */
export interface KeptBytes extends Disposable {
  /** The descriptor of its folder. */
  readonly folder: number;
  /** Makes it the file of whom the daemon becomes. */
  giveTo(identity: Identity): void;
  /** To be overwritten. */
  read(): Uint8Array<ArrayBuffer>;
  /**
   * Claims numbers for as long as the program lives.
   * @returns Whether nobody else has one of them
   */
  claim(first: number, count: number): boolean;
  /**
   * @param change Returns undefined to leave the file alone; what it gets and
   * returns is overwritten
   * @returns false if another program is at it for longer than a second
   * @throws if it cannot be replaced
   */
  replace(
    change: (
      bytes: Uint8Array<ArrayBuffer>,
    ) => Uint8Array<ArrayBuffer> | undefined,
  ): boolean;
}

/**
 * `kept` where another program has moved it on; `busy` where one is at it, which
 * is to be tried again; `foreign` for another chain.
 */
export type MoveResult = "written" | "kept" | "busy" | "foreign";

export class ChainFile implements Disposable {
  readonly #file: KeptBytes;
  #epoch = -1;

  constructor(file: KeptBytes) {
    this.#file = file;
  }

  get folder(): number {
    return this.#file.folder;
  }

  /** Of what is in the file, or of nothing that this program may replace. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @returns A link whose key the caller overwrites */
  read(): ChainLink {
    const bytes = this.#file.read();
    try {
      const link = parseChainFile(bytes);
      this.#epoch = link.epoch;
      return link;
    } finally {
      bytes.fill(0);
    }
  }

  giveTo(identity: Identity): void {
    this.#file.giveTo(identity);
  }

  /** Each role, mux and sender id has a number of its own. */
  claim(role: Role, mux: number, senderId: number): boolean {
    const side = role === "left" ? 0 : 1;
    return this.#file.claim((side * 0x10000 + mux) * 0x10000 + senderId, 1);
  }

  /** Replaces the file by the same. */
  rewrite(): MoveResult {
    const isDone = this.#file.replace((bytes) => Uint8Array.from(bytes));
    return isDone ? "written" : "busy";
  }

  /**
   * Leaves what is not of this chain alone: somebody has put it there, and
   * there is no other copy of it.
   */
  moveOn(chain: KeyChain, epoch: number): MoveResult {
    let result: MoveResult = "written";
    const isDone = this.#file.replace((bytes) => {
      const found = parseChainFile(bytes);
      try {
        if (!isOf(chain, found)) result = "foreign";
        else if (found.epoch >= epoch) result = "kept";
      } finally {
        found.key.fill(0);
      }
      if (result === "foreign") this.#epoch = Infinity;
      if (result === "kept") this.#epoch = found.epoch;
      if (result !== "written") return undefined;
      const link = chain.link(epoch);
      const after = formatChainFile(link);
      link.key.fill(0);
      return after;
    });
    if (!isDone) return "busy";
    if (result === "written") this.#epoch = epoch;
    return result;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Whether both lead to the same key, where the later of them begins. */
function isOf(chain: KeyChain, found: ChainLink): boolean {
  if (found.interval !== chain.interval) return false;
  const other = new KeyChain(found, hkdf);
  const epoch = Math.max(found.epoch, chain.epoch);
  try {
    const [one, two] = [chain.link(epoch).key, other.link(epoch).key];
    const isSame = sameBytes(one, two);
    one.fill(0);
    two.fill(0);
    return isSame;
  } catch (error) {
    // Too far apart to be compared.
    if (error instanceof RangeError) return false;
    throw error;
  } finally {
    other.erase();
  }
}
