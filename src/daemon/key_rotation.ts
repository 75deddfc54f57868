// Keys of a key chain for the own connection: the epochs that seal and open, and
// the file that moves on with them (spec/keychain.md).
import type { Identity } from "../../ffi/process/identity.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { hkdf } from "../crypto/hkdf.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import {
  type ClockGap,
  EpochSchedule,
  type EpochUse,
} from "../satp/epoch_schedule.ts";
import { epochAt, KeyChain, MAX_STEPS } from "../satp/key_chain.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { ChainFile } from "./chain_file.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

/** How often to look at the clock, and whether the peer was heard. */
const LOOK_MS = 1000;
/** Between two tries to replace a file that could not be replaced. */
const RETRY_MS = 60_000;

export type RotationOptions = Pick<
  AnytunOptions,
  "kdPrf" | "mux" | "role" | "windowSize"
>;

interface RotationContext {
  readonly table: ConnectionTable;
  readonly logger: Logger;
  /** That the daemon changes to, if it does. */
  readonly identity: Identity | undefined;
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

type RotationWorld = Pick<World, "delay" | "elapsed" | "now" | "openKeptFile">;

export class KeyRotation implements Service {
  readonly name = "key chain";
  readonly #path: string;
  readonly #options: RotationOptions;
  readonly #context: RotationContext;
  readonly #world: RotationWorld;
  #file: ChainFile | undefined;
  #chain: KeyChain | undefined;
  #schedule: EpochSchedule | undefined;
  /** Whose keys seal. */
  #epoch = -1;
  /** The keys that the connection has, by their epochs. */
  readonly #held = new Map<number, Held>();
  #isLost = false;
  #gap: ClockGap | undefined;
  #retryAt = -Infinity;

  constructor(
    path: string,
    options: RotationOptions,
    context: RotationContext,
    world: RotationWorld,
  ) {
    this.#path = path;
    this.#options = options;
    this.#context = context;
    this.#world = world;
  }

  /** @throws if the file is of no use, or of no use now */
  start(): void {
    const { now, openKeptFile } = this.#world;
    try {
      this.#file = new ChainFile(openKeptFile(this.#path));
      const link = this.#file.read();
      this.#chain = new KeyChain(link, hkdf);
      link.key.fill(0);
      const { identity } = this.#context;
      if (identity !== undefined) this.#file.giveTo(identity);
      const present = epochAt(now() / 1000, link.interval);
      if (present - link.epoch > MAX_STEPS) {
        throw new Error(
          `it is ${present - link.epoch} epochs behind the clock of this ` +
            "host: set the clock, or make a new key chain",
        );
      }
      this.#schedule = new EpochSchedule(link, this.#world);
    } catch (cause) {
      const reason = reasonOf(cause);
      throw new Error(`Cannot use ${this.#title}: ${reason}`, { cause });
    }
  }

  /**
   * Claims sender ids: two programs must not count with the same keys, role,
   * mux and sender id (SATP section 3).
   * @returns Those that nobody else has
   * @throws if there are none
   */
  claim(senderIds: readonly number[]): readonly number[] {
    const { role, mux } = this.#options;
    const file = this.#opened(this.#file);
    const free = senderIds.filter((id) => file.claim(role, mux, id));
    if (free.length > 0) return free;
    throw new Error(
      `Cannot use ${this.#title} as ${role} with mux ${mux} and sender id ` +
        `${senderIds.join(", ")}: another program does; give this one ` +
        "another --sender-id",
    );
  }

  /** The keys to connect with, to be overwritten. */
  secrets(): MasterSecrets {
    const [schedule] = this.#parts;
    this.#epoch = sealedIn(schedule);
    return this.#secretsOf(this.#epoch);
  }

  async run(stop: AbortSignal): Promise<void> {
    this.#tryFile();
    while (!stop.aborted) {
      await this.#world.delay(LOOK_MS, stop).catch(() => {});
      if (!stop.aborted) this.#look();
    }
  }

  report(): readonly string[] {
    if (this.#schedule === undefined) return [];
    const { confirmed } = this.#schedule;
    const heard = confirmed === undefined
      ? "nothing was heard yet"
      : `the peer was heard in ${confirmed}`;
    return [`key chain: epoch ${sealedIn(this.#schedule)}, ${heard}`];
  }

  close(): void {
    this.#chain?.erase();
    this.#file?.[Symbol.dispose]();
  }

  #look(): void {
    const [schedule, chain] = this.#parts;
    const name = this.#context.table.sealing(this.#options.mux);
    if (name === undefined) return;
    // As the peer's service has put it.
    if (this.#held.size === 0) this.#hold(this.#epoch, name);
    this.#listen(schedule);
    this.#warn(schedule);
    this.#change(schedule.wanted());
    this.#moveOn(schedule, chain);
  }

  #listen(schedule: EpochSchedule): void {
    const { table } = this.#context;
    for (const [epoch, held] of this.#held) {
      const opened = table.lastOpened(this.#options.mux, held.name);
      if (opened !== undefined && opened !== held.opened) {
        schedule.opened(epoch);
      }
      held.opened = opened;
    }
  }

  /** Makes before it breaks, but for what nobody wants: there are few places. */
  #change(wanted: readonly EpochUse[]): void {
    const { mux } = this.#options;
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

  /** All but the one that seals. */
  #drop(epochs: readonly number[]): void {
    for (const epoch of epochs) {
      const held = this.#held.get(epoch);
      if (held === undefined || epoch === this.#epoch) continue;
      this.#context.table.dropOpening(this.#options.mux, held.name);
      this.#held.delete(epoch);
    }
  }

  #seal(epoch: number): void {
    const { mux, role, windowSize } = this.#options;
    const secrets = this.#secretsOf(epoch);
    const keys = { role, secrets, windowSize };
    const name = this.#context.table.put(mux, keys, 0, "keep");
    wipe(secrets);
    this.#epoch = epoch;
    this.#hold(epoch, name);
  }

  #open(epoch: number): void {
    const { mux, role } = this.#options;
    const secrets = this.#secretsOf(epoch);
    const name = this.#context.table.addOpening(mux, { role, secrets });
    wipe(secrets);
    if (name !== undefined) this.#hold(epoch, name);
  }

  /** Keys that are to seal now may have opened before. */
  #hold(epoch: number, name: number): void {
    if (this.#held.get(epoch)?.name === name) return;
    this.#held.set(epoch, { name, opened: undefined });
  }

  #secretsOf(epoch: number): MasterSecrets {
    const { kdPrf } = this.#options;
    if (kdPrf === "null") throw new Error(`Cannot use ${this.#title}: no keys`);
    const [, chain] = this.#parts;
    chain.approach(Math.max(this.#epoch - 1, chain.epoch));
    return chain.secrets(epoch, kdPrf);
  }

  /** The file first: a crash in between leaves both, and loses neither. */
  #moveOn(schedule: EpochSchedule, chain: KeyChain): void {
    const oldest = schedule.oldest();
    const now = this.#world.elapsed();
    const file = this.#opened(this.#file);
    if (oldest > file.epoch && now >= this.#retryAt) {
      this.#write(() => file.moveOn(chain, oldest));
    }
    chain.eraseBefore(oldest);
  }

  /** What fails later, such as for a folder that is not the user's, shows now. */
  #tryFile(): void {
    this.#write(() => this.#opened(this.#file).rewrite());
  }

  #write(work: () => "written" | "kept" | "foreign"): void {
    const { logger } = this.#context;
    try {
      if (work() !== "foreign") return;
      logger.warning(
        `${this.#title} is another one by now, which is used after a restart`,
      );
    } catch (error) {
      this.#retryAt = this.#world.elapsed() + RETRY_MS;
      logger.error(
        `Cannot move on ${this.#title}: ${reasonOf(error)}; who reads the ` +
          "file can read what was sent since its epoch: the user that the " +
          "daemon becomes (--username) has to be able to write to its folder",
      );
    }
  }

  #warn(schedule: EpochSchedule): void {
    const { logger } = this.#context;
    const { gap, isLost } = schedule;
    if (isLost && !this.#isLost) {
      logger.warning(
        `the clock of this host is more than ${MAX_STEPS} epochs ahead of ` +
          `${this.#title}: it seems wrong and is not followed`,
      );
    }
    this.#isLost = isLost;
    if (gap !== undefined && this.#gap === undefined) {
      const side = gap.seconds > 0 ? "ahead of" : "behind";
      logger.warning(
        `the clock of the peer is ${side} that of this host by ` +
          `${Math.abs(gap.seconds)} s or more: that of ` +
          `${gap.isOwn ? "this host" : "the peer"} seems wrong`,
      );
    }
    this.#gap = gap;
  }

  get #parts(): readonly [EpochSchedule, KeyChain] {
    return [this.#opened(this.#schedule), this.#opened(this.#chain)];
  }

  get #title(): string {
    return `the key chain in '${this.#path}' (--key-chain)`;
  }

  #opened<T>(thing: T | undefined): T {
    if (thing !== undefined) return thing;
    throw new Error(`Cannot use ${this.#title} before it is open`);
  }
}

function wipe({ key, salt }: MasterSecrets): void {
  key.fill(0);
  salt.fill(0);
}

function sealedIn(schedule: EpochSchedule): number {
  return schedule.wanted().find(({ role }) => role === "seal")?.epoch ?? -1;
}
