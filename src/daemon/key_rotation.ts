// Keys of a key chain for the own connection: the epochs that seal and open, and
// the file that moves on with them (spec/keychain.md).
import type { Identity } from "../../ffi/process/identity.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { reasonOf } from "../log/reason.ts";
import { type ClockGap, EpochSchedule } from "../satp/epoch_schedule.ts";
import { epochAt, KeyChain, MAX_STEPS } from "../satp/key_chain.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { ChainFile } from "./chain_file.ts";
import { type EpochContext, EpochKeys } from "./epoch_keys.ts";
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

interface RotationContext extends EpochContext {
  /** That the daemon changes to, if it does. */
  readonly identity: Identity | undefined;
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
  readonly #keys: EpochKeys;
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
    const secretsOf = (epoch: number) => this.#secretsOf(epoch);
    this.#keys = new EpochKeys(options, context, secretsOf);
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

  folders(): readonly number[] {
    return [this.#opened(this.#file).folder];
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
    const [schedule, chain] = this.#parts;
    const epoch = sealedIn(schedule);
    this.#keys.note(chain.epoch, epoch);
    return this.#keys.begin(epoch);
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
    if (!this.#keys.areThere()) return;
    this.#keys.listen(schedule);
    this.#warn(schedule);
    this.#keys.change(schedule.wanted());
    this.#moveOn(schedule, chain);
  }

  #secretsOf(epoch: number): MasterSecrets {
    const { kdPrf } = this.#options;
    if (kdPrf === "null") throw new Error(`Cannot use ${this.#title}: no keys`);
    const [, chain] = this.#parts;
    chain.approach(Math.max(this.#keys.epoch - 1, chain.epoch));
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
    // Not before they are gone from the file: a restart may bring them back.
    this.#keys.forgetBefore(Math.min(oldest, file.epoch));
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

function sealedIn(schedule: EpochSchedule): number {
  return schedule.wanted().find(({ role }) => role === "seal")?.epoch ?? -1;
}
