// Key chains of the connections that a control daemon serves
// (docs/key-chains.md, "Clusters").
import { SystemError } from "../../ffi/errno.ts";
import type { Warn } from "../config/fault.ts";
import { readKeyChain } from "../config/key_chain.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { reasonOf } from "../log/reason.ts";
import { epochAt, KeyChain, MAX_STEPS } from "../satp/key_chain.ts";
import type { KdPrfName } from "../satp/params.ts";
import { wipeSecrets } from "../satp/secrets.ts";
import type { ControlRecord } from "../sync/control_file.ts";
import { encodeRecord } from "../sync/encode.ts";
import type { ConnectionRecord } from "../sync/record.ts";
import type { World } from "./world.ts";

type ChainsWorld = Pick<World, "now" | "readKeyChain">;

/** What the key of a record is for. */
const KD_PRFS: Readonly<Record<number, Exclude<KdPrfName, "null">>> = {
  16: "aes-ctr-128",
  24: "aes-ctr-192",
  32: "aes-ctr-256",
};

interface Served {
  readonly chain: KeyChain;
  epoch: number;
  text: string;
}

export class ControlChains {
  readonly #folder: string;
  readonly #world: ChainsWorld;
  readonly #warn: Warn;
  #served = new Map<number, Served>();

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
    const served = new Map<number, Served>();
    for (const { record } of records) {
      if (record.command !== "connection") continue;
      const chain = this.#read(record);
      if (chain === undefined) continue;
      served.set(record.mux, { chain, epoch: -1, text: "" });
      this.#warnOfWindow(record);
    }
    for (const { chain } of this.#served.values()) chain.erase();
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
    return records.map((control) => {
      const { record } = control;
      if (record.command !== "connection") return control;
      const served = this.#served.get(record.mux);
      if (served === undefined) return control;
      this.#advance(served, control.text, record);
      return { ...control, text: served.text };
    });
  }

  /** Milliseconds until an epoch begins, at most `longest`. */
  untilNext(longest: number): number {
    const now = this.#world.now();
    const left = [...this.#served.values()].map(({ chain }) => {
      const interval = chain.interval * 1000;
      return interval - now % interval;
    });
    return Math.min(longest, ...left);
  }

  /** Neither a clock that is set back nor one beyond all bounds is followed. */
  #advance(served: Served, text: string, record: ConnectionRecord): void {
    const { chain } = served;
    const present = epochAt(this.#world.now() / 1000, chain.interval);
    const floor = Math.max(chain.epoch, served.epoch);
    const isLost = present - floor > MAX_STEPS;
    const epoch = isLost ? floor : Math.max(floor, present);
    if (epoch === served.epoch) return;
    const secrets = chain.secrets(epoch, kdPrfOf(record));
    chain.approach(epoch);
    served.epoch = epoch;
    served.text = encodeRecord({ ...record, secrets }, versionOf(text));
    wipeSecrets(secrets);
  }

  /** Before it is in use: what is too far behind cannot be derived. */
  #check(chain: KeyChain, record: ConnectionRecord): void {
    const present = epochAt(this.#world.now() / 1000, chain.interval);
    try {
      kdPrfOf(record);
      chain.link(Math.max(present, chain.epoch)).key.fill(0);
    } catch (error) {
      chain.erase();
      throw error;
    }
  }

  #read(record: ConnectionRecord): KeyChain | undefined {
    const path = `${this.#folder}/${record.mux}`;
    const name = `the key chain in '${path}' (--key-chains)`;
    try {
      const link = readKeyChain(path, name, this.#world, this.#warn);
      const chain = new KeyChain(link, hkdf);
      link.key.fill(0);
      this.#check(chain, record);
      return chain;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new Error(`Cannot use ${name}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** Not the folder, which has to be there. */
function isMissing(error: unknown): boolean {
  return error instanceof SystemError && error.code === "ENOENT" &&
    error.syscall === "openat";
}

function kdPrfOf({ mux, secrets }: ConnectionRecord): typeof KD_PRFS[number] {
  const kdPrf = KD_PRFS[secrets.key.length];
  if (kdPrf !== undefined) return kdPrf;
  throw new Error(`connection ${mux} has key derivation null, and no keys`);
}

/** Of the archive library: a client refuses what is newer than its own. */
function versionOf(text: string): number {
  return Number(/serialization::archive (\d+) /.exec(text)?.[1]);
}
