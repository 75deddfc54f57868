// Keys that the own connection holds, by the epochs of its key chain, and the
// sequence numbers that were used with them.
import type { EpochUse } from "../satp/epoch_schedule.ts";
import type { KeyChain } from "../satp/key_chain.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import { type MasterSecrets, wipeSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";

/** Epochs of former processes whose numbers are looked for: those before now. */
const MOST_NOTED = 1000;

interface EpochKeysOptions {
  readonly mux: number;
  readonly role: Role;
  readonly kdPrf: Exclude<KdPrfName, "null">;
}

interface Held {
  /** In the table of connections. */
  readonly name: number;
  /** When they last opened something, as of the last look. */
  opened: number | undefined;
}

export class EpochKeys {
  readonly #options: EpochKeysOptions;
  readonly #table: ConnectionTable;
  readonly #chain: KeyChain;
  #sealing = -1;
  readonly #held = new Map<number, Held>();
  /** Names of the numbers that may have been used in each epoch. */
  readonly #numbers = new Map<number, string>();

  constructor(
    options: EpochKeysOptions,
    table: ConnectionTable,
    chain: KeyChain,
  ) {
    this.#options = options;
    this.#table = table;
    this.#chain = chain;
  }

  /** Whose keys seal. */
  get sealing(): number {
    return this.#sealing;
  }

  /**
   * Those that the connection is to begin with.
   * @returns To be overwritten
   */
  begin(epoch: number): MasterSecrets {
    if (this.#held.size === 0) this.#note(epoch);
    return this.#secretsOf(this.#sealing);
  }

  /**
   * Looks at what others have put into the table.
   * @returns Epochs whose keys have opened something since the last look, or
   * undefined as long as there is no connection
   */
  look(): readonly number[] | undefined {
    const name = this.#table.sealing(this.#options.mux);
    if (name === undefined) return undefined;
    if (this.#held.size === 0) this.#hold(this.#sealing, name);
    return [...this.#held].filter(([, held]) => this.#hasOpened(held))
      .map(([epoch]) => epoch);
  }

  /**
   * Makes before it breaks, but for what nobody wants: there are few places.
   * @returns Whether keys have changed, and whether others seal now
   */
  change(wanted: readonly EpochUse[]): "none" | "opening" | "sealing" {
    const epochs = new Set(wanted.map(({ epoch }) => epoch));
    const seal = wanted.find(({ role }) => role === "seal")?.epoch;
    const isNew = seal !== undefined && seal !== this.#sealing;
    const added = [...epochs].filter((epoch) => !this.#held.has(epoch));
    const gone = this.#held.keys().filter((epoch) => !epochs.has(epoch))
      .toArray();
    if (!isNew && added.length === 0 && gone.length === 0) return "none";
    this.#drop(gone);
    if (isNew) this.#seal(seal);
    // Again, for those that sealed until now: they could not go before.
    this.#drop(gone);
    for (const epoch of this.#outwards(added)) {
      if (epoch !== seal) this.#open(epoch);
    }
    return isNew ? "sealing" : "opening";
  }

  /** Their keys never come back. */
  forgetBefore(epoch: number): void {
    const gone = [...this.#numbers].filter(([used]) => used < epoch);
    if (gone.length === 0) return;
    this.#table.forgetNumbers(gone.map(([, name]) => name));
    for (const [used] of gone) this.#numbers.delete(used);
  }

  /** Processes before this one may have sent since the epoch of the file. */
  #note(present: number): void {
    const first = Math.max(this.#chain.epoch, present - MOST_NOTED);
    for (let epoch = first; epoch <= present; epoch++) {
      // One after the other they are derived in a step each.
      this.#sealing = epoch;
      this.#with(epoch, () => {});
    }
  }

  #hasOpened(held: Held): boolean {
    const opened = this.#table.lastOpened(this.#options.mux, held.name);
    const isNew = opened !== undefined && opened !== held.opened;
    held.opened = opened;
    return isNew;
  }

  /** All but the one that seals. */
  #drop(epochs: readonly number[]): void {
    for (const epoch of epochs) {
      const held = this.#held.get(epoch);
      if (held === undefined || epoch === this.#sealing) continue;
      this.#table.dropOpening(this.#options.mux, held.name);
      this.#held.delete(epoch);
    }
  }

  /** Each ranks next to what seals, within those that are there. */
  #outwards(epochs: readonly number[]): readonly number[] {
    const distance = (epoch: number) => Math.abs(epoch - this.#sealing);
    return epochs.toSorted((a, b) => distance(a) - distance(b));
  }

  #seal(epoch: number): void {
    const { mux, role } = this.#options;
    const windowSize = this.#table.windowSize(mux);
    // Before its keys are derived: those of its neighbours are, too.
    this.#sealing = epoch;
    const name = this.#with(epoch, (secrets) => {
      const keys = { role, secrets, windowSize };
      return this.#table.put(mux, keys, 0, "keep");
    });
    this.#hold(epoch, name);
  }

  #open(epoch: number): void {
    const { mux, role } = this.#options;
    const name = this.#with(epoch, (secrets) => {
      const keys = { role, secrets };
      const isAhead = epoch > this.#sealing;
      if (isAhead) this.#table.reserveAhead(mux, keys);
      return this.#table.addOpening(mux, keys, isAhead ? "after" : "before");
    });
    if (name !== undefined) this.#hold(epoch, name);
  }

  /** Keys that are to seal now may have opened before. */
  #hold(epoch: number, name: number): void {
    if (this.#held.get(epoch)?.name === name) return;
    this.#held.set(epoch, { name, opened: undefined });
  }

  #with<T>(epoch: number, use: (secrets: MasterSecrets) => T): T {
    const { mux, role } = this.#options;
    const secrets = this.#secretsOf(epoch);
    try {
      const name = this.#table.numbersName(mux, { role, secrets });
      this.#numbers.set(epoch, name);
      return use(secrets);
    } finally {
      wipeSecrets(secrets);
    }
  }

  #secretsOf(epoch: number): MasterSecrets {
    const chain = this.#chain;
    chain.approach(Math.max(this.#sealing - 1, chain.epoch));
    return chain.secrets(epoch, this.#options.kdPrf);
  }
}
