// Healing of a wrong clock: while everything of the peer is refused, a few
// datagrams a second are tried with other epochs (docs/key-chains.md, "Which
// epoch").
import { hkdf } from "../crypto/hkdf.ts";
import { KeyTrial } from "../crypto/key_trial.ts";
import type { EpochSchedule } from "../satp/epoch_schedule.ts";
import { KeyChain } from "../satp/key_chain.ts";
import type { KdPrfName, Role, SatpParameters } from "../satp/params.ts";
import { wipeSecrets } from "../satp/secrets.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { ConnectionCounter } from "../tunnel/counters.ts";
import {
  MOST_SAMPLES,
  question,
  type RefusedDatagram,
  SENDER_KINDS,
  type SenderKind,
} from "../tunnel/refused_samples.ts";
import type { RandomFill } from "../tunnel/sender_ids.ts";

interface HealingOptions {
  readonly mux: number;
  readonly role: Role;
  readonly kdPrf: Exclude<KdPrfName, "null">;
  readonly params: SatpParameters;
}

export class ClockHealing {
  readonly #options: HealingOptions;
  readonly #table: ConnectionTable;
  readonly #random: RandomFill;
  readonly #trial: KeyTrial;
  readonly #samples = new Map<SenderKind, Uint8Array[]>();
  /** Derivations of epochs that were tried begin there. */
  #chain: KeyChain | undefined;
  #wrongTags = 0;
  #turn = 0;

  constructor(
    options: HealingOptions,
    table: ConnectionTable,
    random: RandomFill,
  ) {
    this.#options = options;
    this.#table = table;
    this.#random = random;
    this.#trial = new KeyTrial(options.params);
  }

  /** Keeps one that was asked for. */
  take({ mux, kind, datagram }: RefusedDatagram): void {
    if (mux !== this.#options.mux) return;
    const samples = this.#samples.get(kind) ?? [];
    if (samples.push(datagram) > MOST_SAMPLES) samples.shift();
    this.#samples.set(kind, samples);
  }

  /**
   * To be called once a second.
   *
   * @param isHeard Whether something was opened since the last call
   * @returns The epoch that opens what is refused
   */
  look(
    schedule: EpochSchedule,
    chain: KeyChain,
    isHeard: boolean,
  ): number | undefined {
    const isRefused = this.#hasMoreWrongTags();
    if (isHeard) return this.#rest();
    if (isRefused) schedule.refused();
    if (!schedule.isSeeking) return undefined;
    const found = this.#tryNext(schedule, chain);
    if (found === undefined) this.#ask();
    else this.#rest();
    return found;
  }

  close(): void {
    this.#rest();
  }

  #hasMoreWrongTags(): boolean {
    const before = this.#wrongTags;
    const counted = this.#table.counters.sum(this.#options.mux);
    this.#wrongTags = counted[ConnectionCounter.WRONG_TAG] ?? 0;
    return this.#wrongTags > before;
  }

  #rest(): undefined {
    this.#table.ask(this.#options.mux, 0);
    // Clearing a map makes a new one, which the old one keeps from being collected.
    if (this.#samples.size > 0) this.#samples.clear();
    this.#chain?.erase();
    this.#chain = undefined;
  }

  // Every other time anybody may answer. Who floods comes first then, but not
  // where chance has to choose him.
  #ask(): void {
    const kinds = SENDER_KINDS.filter((kind) => !this.#samples.has(kind))
      .reduce((sum, kind) => sum + kind, 0);
    const words = new Uint32Array(1);
    this.#random(words);
    const asked = question(kinds, words[0], this.#turn % 2 === 0);
    this.#table.ask(this.#options.mux, asked);
  }

  #tryNext(schedule: EpochSchedule, chain: KeyChain): number | undefined {
    const kind = this.#nextKind();
    const datagrams = kind && this.#samples.get(kind);
    if (kind === undefined || datagrams === undefined) {
      this.#turn++;
      return undefined;
    }
    const epochs = schedule.trial();
    if (epochs.length === 0) return undefined;
    this.#turn++;
    this.#samples.delete(kind);
    return this.#opening(datagrams, epochs, chain);
  }

  /** Each in turn, so that none waits for ever. */
  #nextKind(): SenderKind | undefined {
    const { length } = SENDER_KINDS;
    return SENDER_KINDS.map((_, k) => SENDER_KINDS[(this.#turn + k) % length])
      .find((kind) => kind !== undefined && this.#samples.has(kind));
  }

  #opening(
    datagrams: readonly Uint8Array[],
    epochs: readonly number[],
    chain: KeyChain,
  ): number | undefined {
    const { kdPrf, role } = this.#options;
    const ascending = epochs.toSorted((a, b) => a - b);
    const near = this.#chainFrom(chain, ascending[0] ?? 0);
    return ascending.find((epoch) => {
      near.approach(epoch);
      const secrets = near.secrets(epoch, kdPrf);
      const isRight = datagrams
        .some((datagram) => this.#trial.opens(datagram, secrets, role));
      wipeSecrets(secrets);
      return isRight;
    });
  }

  /** A clock may be off by so many epochs that to derive them takes seconds. */
  #chainFrom(chain: KeyChain, epoch: number): KeyChain {
    const known = this.#chain;
    if (known !== undefined && known.epoch <= epoch) return known;
    known?.erase();
    const link = chain.link(epoch);
    this.#chain = new KeyChain(link, hkdf);
    link.key.fill(0);
    return this.#chain;
  }
}
