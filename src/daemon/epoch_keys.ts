// Keys that the own connection holds, by the epochs of its key chain, and the
// sequence numbers that were used with them.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { EpochSchedule, EpochUse } from "../satp/epoch_schedule.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";

/** Epochs of former processes whose numbers are looked for: those before now. */
const MOST_NOTED = 1000;

type OwnConnection = Pick<AnytunOptions, "mux" | "role" | "windowSize">;

export interface EpochContext {
  readonly table: ConnectionTable;
  readonly logger: Logger;
  /** Has the data plane make the connection ready. */
  readonly prepare: (mux: number) => Promise<void>;
  /** Has the data plane wipe what is out of use. */
  readonly dropRetired: () => void;
  /** Called when the connection has other keys. */
  readonly moved: (mux: number) => void;
}

interface Held {
  /** In the table of connections. */
  readonly name: number;
  /** When they last opened something, as of the last look. */
  opened: number | undefined;
}

export class EpochKeys {
  readonly #own: OwnConnection;
  readonly #context: EpochContext;
  readonly #secretsOf: (epoch: number) => MasterSecrets;
  #epoch = -1;
  readonly #held = new Map<number, Held>();
  /** Names of the numbers that may have been used in each epoch. */
  readonly #numbers = new Map<number, string>();

  /** @param secretsOf Makes what is to be overwritten */
  constructor(
    own: OwnConnection,
    context: EpochContext,
    secretsOf: (epoch: number) => MasterSecrets,
  ) {
    this.#own = own;
    this.#context = context;
    this.#secretsOf = secretsOf;
  }

  /** Whose keys seal. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Epochs in which processes before this one may have sent. */
  note(first: number, end: number): void {
    for (let k = Math.max(first, end - MOST_NOTED); k < end; k++) {
      // One after the other they are derived in a step each.
      this.#epoch = k;
      this.#with(k, () => {});
    }
  }

  /** @returns The keys to connect with, to be overwritten */
  begin(epoch: number): MasterSecrets {
    this.#epoch = epoch;
    this.#with(epoch, () => {});
    return this.#secretsOf(epoch);
  }

  /** Whether the connection is there, as the peer's service puts it. */
  areThere(): boolean {
    const name = this.#context.table.sealing(this.#own.mux);
    if (name === undefined) return false;
    if (this.#held.size === 0) this.#hold(this.#epoch, name);
    return true;
  }

  listen(schedule: EpochSchedule): void {
    const { table } = this.#context;
    for (const [epoch, held] of this.#held) {
      const opened = table.lastOpened(this.#own.mux, held.name);
      if (opened !== undefined && opened !== held.opened) {
        schedule.opened(epoch);
      }
      held.opened = opened;
    }
  }

  /** Makes before it breaks, but for what nobody wants: there are few places. */
  change(wanted: readonly EpochUse[]): void {
    const { mux } = this.#own;
    const { moved, prepare, dropRetired, logger } = this.#context;
    const epochs = new Set(wanted.map(({ epoch }) => epoch));
    const seal = wanted.find(({ role }) => role === "seal")?.epoch;
    const isNew = seal !== undefined && seal !== this.#epoch;
    const added = [...epochs].filter((epoch) => !this.#held.has(epoch));
    const gone = this.#held.keys().filter((epoch) => !epochs.has(epoch))
      .toArray();
    if (!isNew && added.length === 0 && gone.length === 0) return;
    this.#drop(gone);
    if (isNew) this.#seal(seal);
    this.#drop(gone);
    for (const epoch of added) if (epoch !== seal) this.#open(epoch);
    dropRetired();
    void prepare(mux);
    if (!isNew) return;
    moved(mux);
    logger.info(`key chain: sealing in epoch ${seal}`);
  }

  /** Their keys never come back. */
  forgetBefore(epoch: number): void {
    const gone = [...this.#numbers].filter(([used]) => used < epoch);
    if (gone.length === 0) return;
    this.#context.table.forgetNumbers(gone.map(([, name]) => name));
    for (const [used] of gone) this.#numbers.delete(used);
  }

  /** All but the one that seals. */
  #drop(epochs: readonly number[]): void {
    for (const epoch of epochs) {
      const held = this.#held.get(epoch);
      if (held === undefined || epoch === this.#epoch) continue;
      this.#context.table.dropOpening(this.#own.mux, held.name);
      this.#held.delete(epoch);
    }
  }

  #seal(epoch: number): void {
    const { mux, role, windowSize } = this.#own;
    const name = this.#with(epoch, (secrets) => {
      const keys = { role, secrets, windowSize };
      return this.#context.table.put(mux, keys, 0, "keep");
    });
    this.#epoch = epoch;
    this.#hold(epoch, name);
  }

  #open(epoch: number): void {
    const { mux, role } = this.#own;
    const { table } = this.#context;
    const name = this.#with(epoch, (secrets) => {
      if (epoch > this.#epoch) table.reserveAhead(mux, { role, secrets });
      return table.addOpening(mux, { role, secrets });
    });
    if (name !== undefined) this.#hold(epoch, name);
  }

  /** Keys that are to seal now may have opened before. */
  #hold(epoch: number, name: number): void {
    if (this.#held.get(epoch)?.name === name) return;
    this.#held.set(epoch, { name, opened: undefined });
  }

  #with<T>(epoch: number, use: (secrets: MasterSecrets) => T): T {
    const { mux, role } = this.#own;
    const secrets = this.#secretsOf(epoch);
    try {
      const name = this.#context.table.numbersName(mux, { role, secrets });
      this.#numbers.set(epoch, name);
      return use(secrets);
    } finally {
      secrets.key.fill(0);
      secrets.salt.fill(0);
    }
  }
}
