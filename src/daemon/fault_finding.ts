// Search for the option that keeps what a peer sends from being opened: a sample
// of what is refused is tried with other values, away from the packets.
import type { AnytunOptions } from "../config/anytun.ts";
import { KeyTrial } from "../crypto/key_trial.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { NOBODY, RateLimitedLog } from "../log/rate_limited_log.ts";
import {
  type KdPrfName,
  MAX_TAG_BYTES,
  oppositeRole,
  type Role,
  type SatpParameters,
} from "../satp/params.ts";
import {
  copyOfKey,
  type GivenSecrets,
  type MasterSecrets,
  wipeSecrets,
} from "../satp/secrets.ts";
import { Cause } from "../tunnel/causes.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { ConnectionCounter } from "../tunnel/counters.ts";
import {
  question,
  type RefusedDatagram,
  SENDER_KINDS,
} from "../tunnel/refused_samples.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

const LOOK_MS = 1000;

/** What is found about one connection is said once in ten minutes. */
const LIMIT = { burst: 1, perSecond: 1 / 600 };

/** Shorter ones are right by chance now and then. */
const LEAST_TAG = 4;

const ALL_KINDS = SENDER_KINDS.reduce((sum, kind) => sum + kind, 0);
const KD_PRFS = ["aes-ctr-128", "aes-ctr-192", "aes-ctr-256"] as const;

type FaultOptions = Pick<AnytunOptions, "mux" | "secrets">;

interface FaultContext {
  readonly params: SatpParameters;
  /** The connection of a key chain, which has samples for its own purposes. */
  readonly chained: number | undefined;
  /** Those of a key derivation. */
  readonly secretsWith: (
    kdPrf: KdPrfName,
    given: GivenSecrets,
  ) => Promise<MasterSecrets>;
  readonly table: ConnectionTable;
  readonly logger: Logger;
}

/** What the peer may have in place of what this end has. */
interface Guess {
  readonly params: SatpParameters;
  readonly secrets: MasterSecrets;
  /** Of this end. */
  readonly role: Role;
  readonly option: string;
  readonly text: string;
}

export class FaultFinding implements Service<FaultOptions> {
  readonly name = "fault finding";
  #options: FaultOptions;
  readonly #context: FaultContext;
  readonly #world: Pick<World, "elapsed" | "every">;
  readonly #log: RateLimitedLog;
  readonly #wrongTags = new Map<number, number>();
  /** Of the connection that was asked for last. */
  #samples: RefusedDatagram[] = [];
  #asked = NOBODY;
  #turn = 0;
  #isTrying = false;

  constructor(
    options: FaultOptions,
    context: FaultContext,
    world: Pick<World, "elapsed" | "every">,
  ) {
    this.#options = options;
    this.#context = context;
    this.#world = world;
    this.#log = new RateLimitedLog(context.logger, LIMIT, world.elapsed);
  }

  /** Takes a datagram that nothing opens, as the table was asked for. */
  take(refused: RefusedDatagram): void {
    if (refused.mux !== this.#asked) return;
    if (this.#samples.length < SENDER_KINDS.length) this.#samples.push(refused);
  }

  async run(stop: AbortSignal): Promise<void> {
    const { params: { kdPrf, tagLength }, logger } = this.#context;
    // Without keys, or without a tag, whatever fits proves nothing.
    if (tagLength < LEAST_TAG || kdPrf === "null") return;
    const look = () =>
      void this.look().catch((error) => {
        // What strangers send ends no daemon.
        logger.error(`Cannot try what is refused: ${reasonOf(error)}`);
      });
    await this.#world.every(LOOK_MS, look, stop);
    this.#ask(NOBODY);
  }

  /** The passphrase may be another one by now. */
  reload(next: FaultOptions): void {
    this.#options = next;
  }

  /** Tries what was taken since the last look, and asks for more. */
  async look(): Promise<void> {
    if (this.#isTrying) return;
    this.#isTrying = true;
    try {
      const samples = this.#samples;
      this.#samples = [];
      if (samples.length > 0) await this.#try(this.#asked, samples);
      this.#ask(this.#nextRefused());
    } finally {
      this.#isTrying = false;
    }
  }

  /** Those of which more was refused, each in its turn. */
  #nextRefused(): number {
    const { table, chained } = this.#context;
    let next = NOBODY;
    for (const mux of table.liveMuxes()) {
      const wrong = table.counters.sumOf(mux, ConnectionCounter.WRONG_TAG);
      const before = this.#wrongTags.get(mux) ?? 0;
      if (wrong === before) continue;
      this.#wrongTags.set(mux, wrong);
      if (mux === chained) continue;
      const isLater = mux > this.#asked;
      if (next === NOBODY || isLater && next <= this.#asked) next = mux;
    }
    return next;
  }

  #ask(mux: number): void {
    const { table } = this.#context;
    if (this.#asked !== NOBODY) table.ask(this.#asked, 0);
    this.#asked = mux;
    if (mux !== NOBODY) table.ask(mux, question(ALL_KINDS));
  }

  async #try(mux: number, samples: readonly RefusedDatagram[]): Promise<void> {
    for await (const guess of this.#guesses(mux)) {
      const { params, secrets, role } = guess;
      const trial = new KeyTrial(params);
      const isRight = samples
        .some(({ datagram }) => trial.opens(datagram, secrets, role));
      if (isRight) return this.#tell(mux, guess);
    }
  }

  /** One kind at a time: what is tried in a second costs milliseconds. */
  async *#guesses(mux: number): AsyncGenerator<Guess> {
    const { table, params } = this.#context;
    if (!table.exists(mux)) return;
    const { role, secrets } = table.keys(mux);
    const own = { params, secrets, role };
    try {
      switch (this.#turn++ % 4) {
        case 0:
          yield {
            ...own,
            role: oppositeRole(role),
            option: "--role",
            text: `it is ${role} at both ends (or what this end has sent ` +
              "comes back)",
          };
          return;
        case 1:
          return yield* this.#otherKdPrfs(mux, own);
        case 2:
          return yield* otherTags(own, LEAST_TAG, 12);
        default:
          return yield* otherTags(own, 13, MAX_TAG_BYTES);
      }
    } finally {
      wipeSecrets(secrets);
    }
  }

  async *#otherKdPrfs(
    mux: number,
    own: Pick<Guess, "params" | "role" | "secrets">,
  ): AsyncGenerator<Guess> {
    const { mux: ownMux, secrets: given } = this.#options;
    if (mux !== ownMux || given?.passphrase === undefined) return;
    // One of this length fits no other derivation.
    if (given.key !== undefined) return;
    const { kdPrf: present } = own.params;
    for (const kdPrf of KD_PRFS.filter((name) => name !== present)) {
      // What was given is overwritten by now; each derivation has the same salt.
      const salt = given.salt && copyOfKey(own.secrets.salt);
      const { passphrase } = given;
      const secrets = await this.#context
        .secretsWith(kdPrf, { passphrase, salt });
      const params = { ...own.params, kdPrf };
      const text = `it is ${kdPrf} there, and ${present} here`;
      try {
        yield { ...own, params, secrets, option: "--kd-prf", text };
      } finally {
        wipeSecrets(secrets);
      }
    }
  }

  #tell(mux: number, { option, text }: Guess): void {
    this.#log.write("warning", "fault found", () => ({
      text: `connection ${mux}: what its peer sends is right but for ` +
        `${option}: ${text}`,
      fields: { cause: Cause.WRONG_TAG, mux, option },
    }), mux);
  }
}

function* otherTags(
  own: Pick<Guess, "params" | "role" | "secrets">,
  first: number,
  last: number,
): Generator<Guess> {
  const { tagLength: present } = own.params;
  for (let tagLength = first; tagLength <= last; tagLength++) {
    if (tagLength === present) continue;
    const text = `it is ${tagLength} there, and ${present} here`;
    const params = { ...own.params, tagLength };
    yield { ...own, params, option: "--auth-tag-length", text };
  }
}
