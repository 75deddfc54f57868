// Keys of a key chain for the own connection: the epochs that seal and open, and
// the file that moves on with them (docs/key-chains.md).
import type { Identity } from "../../ffi/process/identity.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { hkdf } from "../crypto/hkdf.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { type ClockGap, EpochSchedule } from "../satp/epoch_schedule.ts";
import { epochAt, KeyChain, MAX_AHEAD } from "../satp/key_chain.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { RefusedDatagram } from "../tunnel/refused_samples.ts";
import { ChainFile, type MoveResult } from "./chain_file.ts";
import { ClockHealing } from "./clock_healing.ts";
import { EpochKeys } from "./epoch_keys.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

/** How often to look at the clock, and whether the peer was heard. */
const LOOK_MS = 1000;
/** Between two tries to replace a file that could not be replaced. */
const RETRY_MS = 60_000;

type RotationOptions = Pick<
  AnytunOptions,
  | "authAlgo"
  | "cipher"
  | "kdPrf"
  | "mux"
  | "role"
  | "tagLength"
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

type RotationWorld = Pick<
  World,
  "elapsed" | "every" | "now" | "openKeptFile" | "random"
>;

/** What there is once the file was read. */
interface Parts {
  readonly file: ChainFile;
  readonly chain: KeyChain;
  readonly schedule: EpochSchedule;
  readonly keys: EpochKeys;
  readonly healing: ClockHealing;
}

export class KeyRotation implements Service {
  readonly name = "key chain";
  readonly #path: string;
  readonly #options: RotationOptions;
  readonly #context: RotationContext;
  readonly #world: RotationWorld;
  #file: ChainFile | undefined;
  #opened: Parts | undefined;
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
    try {
      this.#file = new ChainFile(this.#world.openKeptFile(this.#path));
      this.#opened = this.#open(this.#file);
    } catch (cause) {
      const reason = reasonOf(cause);
      throw new Error(`Cannot use ${this.#title}: ${reason}`, { cause });
    }
  }

  folders(): readonly number[] {
    return [this.#parts.file.folder];
  }

  /**
   * Claims sender ids: two programs must not count with the same keys, role,
   * mux and sender id (SATP section 3).
   * @returns Those that nobody else has
   * @throws if there are none
   */
  claim(senderIds: readonly number[]): readonly number[] {
    const { role, mux } = this.#options;
    const { file } = this.#parts;
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
    const { keys, schedule } = this.#parts;
    return keys.begin(sealedIn(schedule));
  }

  /** Epoch that seals, once there is one. */
  get epoch(): number | undefined {
    return this.#opened && sealedIn(this.#opened.schedule);
  }

  /** Why keys by the clock of this host may be others than those of the peer. */
  get clockFault(): string | undefined {
    const { gap, isLost } = this.#opened?.schedule ?? {};
    if (isLost) {
      return `the clock of this host is far ahead of ${this.#title}`;
    }
    if (gap?.isOwn !== true) return undefined;
    const side = gap.seconds > 0 ? "behind" : "ahead of";
    return `the clock of this host is ${side} that of the peer by ` +
      `${Math.abs(gap.seconds)} s or more`;
  }

  /** Takes a datagram that nothing opens, as the table was asked for. */
  refused(refused: RefusedDatagram): void {
    this.#opened?.healing.take(refused);
  }

  async run(stop: AbortSignal): Promise<void> {
    this.#tryFile();
    await this.#world.every(LOOK_MS, () => this.#look(), stop);
  }

  report(): readonly string[] {
    if (this.#opened === undefined) return [];
    const { schedule } = this.#opened;
    const { confirmed } = schedule;
    const heard = confirmed === undefined
      ? "nothing was heard yet"
      : `the peer was heard in ${confirmed}`;
    return [`key chain: epoch ${sealedIn(schedule)}, ${heard}`];
  }

  close(): void {
    this.#opened?.healing.close();
    this.#opened?.chain.erase();
    this.#file?.[Symbol.dispose]();
  }

  #open(file: ChainFile): Parts {
    const { kdPrf, cipher, authAlgo, tagLength, ...own } = this.#options;
    if (kdPrf === "null") throw new Error("there are no keys without --kd-prf");
    const link = file.read();
    const chain = new KeyChain(link, hkdf);
    link.key.fill(0);
    const { identity, table } = this.#context;
    if (identity !== undefined) file.giveTo(identity);
    const present = epochAt(this.#world.now() / 1000, link.interval);
    if (present - link.epoch > MAX_AHEAD) {
      throw new Error(
        `it is ${present - link.epoch} epochs behind the clock of this ` +
          "host: set the clock, or make a new key chain",
      );
    }
    const schedule = new EpochSchedule(link, this.#world);
    const options = { ...own, kdPrf };
    const params = { cipher, kdPrf, authAlgo, tagLength };
    return {
      ...{ file, chain, schedule },
      keys: new EpochKeys(options, table, chain),
      healing: new ClockHealing(
        { ...options, params },
        table,
        this.#world.random,
      ),
    };
  }

  #look(): void {
    const parts = this.#parts;
    const { schedule, keys } = parts;
    const opened = keys.look();
    if (opened === undefined) return;
    for (const epoch of opened) schedule.opened(epoch);
    this.#heal(parts, opened.length > 0);
    this.#warn(schedule);
    this.#change(parts);
    this.#moveOn(parts);
  }

  #heal({ healing, schedule, chain }: Parts, isHeard: boolean): void {
    const epoch = healing.look(schedule, chain, isHeard);
    if (epoch !== undefined) schedule.opened(epoch);
  }

  #change({ keys, schedule }: Parts): void {
    const { mux } = this.#options;
    const { moved, prepare, dropRetired, logger } = this.#context;
    const change = keys.change(schedule.wanted());
    if (change === "none") return;
    dropRetired();
    void prepare(mux);
    if (change === "opening") return;
    moved(mux);
    logger.info(`key chain: sealing in epoch ${keys.sealing}`);
  }

  /** The file first: a crash in between leaves both, and loses neither. */
  #moveOn({ file, schedule, chain, keys }: Parts): void {
    const oldest = schedule.oldest();
    const now = this.#world.elapsed();
    if (oldest > file.epoch && now >= this.#retryAt) {
      this.#write(() => file.moveOn(chain, oldest));
    }
    chain.eraseBefore(oldest);
    // Not before they are gone from the file: a restart may bring them back.
    keys.forgetBefore(Math.min(oldest, file.epoch));
  }

  /** What fails later, such as for a folder that is not the user's, shows now. */
  #tryFile(): void {
    this.#write(() => this.#parts.file.rewrite());
  }

  #write(work: () => MoveResult): void {
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
        `the clock of this host is more than ${MAX_AHEAD} epochs ahead of ` +
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

  get #parts(): Parts {
    if (this.#opened !== undefined) return this.#opened;
    throw new Error(`Cannot use ${this.#title} before it is open`);
  }

  get #title(): string {
    return `the key chain in '${this.#path}' (--key-chain)`;
  }
}

function sealedIn(schedule: EpochSchedule): number {
  return schedule.wanted().find(({ role }) => role === "seal")?.epoch ?? -1;
}
