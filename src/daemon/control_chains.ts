// Key chains of the connections that a control daemon serves, in a folder
// (docs/key-chains.md, "Clusters").
import { SystemError } from "../../ffi/errno.ts";
import type { Warn } from "../config/fault.ts";
import { readKeyChain } from "../config/key_chain.ts";
import { reasonOf } from "../log/reason.ts";
import type { ChainLink } from "../satp/key_chain.ts";
import type { ControlRecord } from "../sync/control_file.ts";
import { decodeFramed } from "../sync/decode.ts";
import type { ConnectionRecord } from "../sync/record.ts";
import { ServedChain } from "./served_chain.ts";
import type { World } from "./world.ts";

type ChainsWorld = Pick<World, "now" | "readKeyChain">;

export class ControlChains {
  readonly #folder: string;
  readonly #world: ChainsWorld;
  readonly #warn: Warn;
  #served = new Map<number, ServedChain>();

  constructor(folder: string, world: ChainsWorld, warn: Warn) {
    this.#folder = folder;
    this.#world = world;
    this.#warn = warn;
  }

  get count(): number {
    return this.#served.size;
  }

  /**
   * Reads the chains of all connections that have one, or changes nothing.
   * @throws if one is of no use
   */
  load(records: readonly ControlRecord[]): void {
    const served = new Map<number, ServedChain>();
    for (const { mux, text } of records) {
      if (mux === undefined) continue;
      const chain = this.#read(mux, text);
      if (chain !== undefined) served.set(mux, chain);
    }
    for (const chain of this.#served.values()) chain.erase();
    this.#served = served;
  }

  // They keep what they have received when the keys change (sync section 5), and
  // the numbers of an epoch begin anew.
  #warnOfWindow({ mux, windowSize }: ConnectionRecord): void {
    if (windowSize === 0) return;
    this.#warn(
      `connection ${mux} has a key chain (--key-chains), and a window of ` +
        `${windowSize} in its record: a server that runs an original anytun ` +
        "hears nothing of it after an epoch has begun, use -w 0 for these",
    );
  }

  /** The records with the keys of now. */
  present(records: readonly ControlRecord[]): readonly ControlRecord[] {
    const now = this.#world.now();
    return records.map((record) => {
      const { mux } = record;
      const served = mux === undefined ? undefined : this.#served.get(mux);
      return served === undefined
        ? record
        : { ...record, text: served.text(now) };
    });
  }

  /** Milliseconds until an epoch begins, at most `longest`. */
  untilNext(longest: number): number {
    const now = this.#world.now();
    return this.#served.values()
      .reduce((ms, chain) => Math.min(ms, chain.untilNext(now)), longest);
  }

  #read(mux: number, text: string): ServedChain | undefined {
    const path = `${this.#folder}/${mux}`;
    const name = `the key chain in '${path}' (--key-chains)`;
    try {
      const link = readKeyChain(path, name, this.#world, this.#warn);
      try {
        return this.#serve(link, text);
      } finally {
        link.key.fill(0);
      }
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new Error(`Cannot use ${name}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  #serve(link: ChainLink, text: string): ServedChain | undefined {
    const record = decodeFramed(text);
    if (record?.command !== "connection") return undefined;
    const now = this.#world.now();
    const chain = new ServedChain(link, record, versionOf(text), now);
    this.#warnOfWindow(record);
    return chain;
  }
}

/** Not the folder, which has to be there. */
function isMissing(error: unknown): boolean {
  return error instanceof SystemError && error.code === "ENOENT" &&
    error.syscall === "openat";
}

/** Of the archive library: a client refuses what is newer than its own. */
function versionOf(text: string): number {
  return Number(/serialization::archive (\d+) /.exec(text)?.[1]);
}
