// Keys that others have taken the place of: they go on opening for a while, for
// what was sealed before (key-chains.md, "Clusters").
import type { Delay } from "../net/delay.ts";
import type { ConnectionKeys, ConnectionTable } from "./connection_table.ts";

const STAY_MS = 10_000;

/** Keys may change by the thousand: they leave together. */
const COLLECT_MS = 10;

interface Keys {
  readonly mux: number;
  readonly name: number;
}

interface LeavingKeysOptions {
  readonly table: ConnectionTable;
  readonly delay: Delay;
  /** Has the data plane wipe what was dropped. */
  readonly dropRetired: () => void;
}

export class LeavingKeys {
  readonly #options: LeavingKeysOptions;
  /** The group that each leaves with. */
  readonly #groups = new Map<string, Keys[]>();
  /** Groups that still take some, by how much longer they stay. */
  readonly #open = new Map<number, Keys[]>();

  constructor(options: LeavingKeysOptions) {
    this.#options = options;
  }

  /**
   * As {@link ConnectionTable.put}; those that it replaces leave later.
   *
   * @param longer How much longer than usual those stay, in ms
   */
  put(mux: number, keys: ConnectionKeys, firstSeq: number, longer = 0): void {
    const { table } = this.#options;
    const before = table.sealing(mux);
    const name = table.put(mux, keys, firstSeq, "keep");
    this.keep(mux, name);
    if (before !== undefined && before !== name) {
      this.leave(mux, before, longer);
    }
  }

  /** Has keys stay that may have been about to leave. */
  keep(mux: number, name: number): void {
    this.#groups.delete(tagOf({ mux, name }));
  }

  /**
   * Has keys leave that do not seal.
   *
   * @param longer How much longer than usual they stay, in ms
   */
  leave(mux: number, name: number, longer = 0): void {
    const replaced = { mux, name };
    const group = this.#open.get(longer) ?? this.#begin(longer);
    group.push(replaced);
    this.#groups.set(tagOf(replaced), group);
  }

  /** A connection is gone, with all of its keys. */
  removed(): void {
    this.#options.dropRetired();
  }

  #begin(longer: number): Keys[] {
    const group: Keys[] = [];
    this.#open.set(longer, group);
    void this.#end(group, longer);
    return group;
  }

  async #end(group: Keys[], longer: number): Promise<void> {
    const { table, delay, dropRetired } = this.#options;
    await delay(COLLECT_MS);
    this.#open.delete(longer);
    await delay(STAY_MS + longer);
    for (const keys of group) {
      // Otherwise they came back, and may have left again since.
      if (this.#groups.get(tagOf(keys)) !== group) continue;
      this.#groups.delete(tagOf(keys));
      table.dropOpening(keys.mux, keys.name);
    }
    dropRetired();
  }
}

function tagOf({ mux, name }: Keys): string {
  return `${mux} ${name}`;
}
