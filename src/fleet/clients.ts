// Clients of a fleet as operators change them in its store: each change is one
// transaction, so that two of them at once never spoil each other's
// (docs/fleet.md, "Records").
import { U16_MAX } from "../net/decimal.ts";
import { StoreError } from "./store_error.ts";
import type { Comparison, EtcdClient, Operation } from "./etcd_client.ts";
import type { KeyValue } from "./etcd_json.ts";
import {
  chainKey,
  clientKey,
  clientsPrefix,
  isClientName,
  MAX_CLIENT_BYTES,
  muxesPrefix,
  muxKey,
  recordName,
} from "./layout.ts";
import { muxOf } from "./record_text.ts";

/** A client as it is stored. */
export interface StoredClient {
  readonly name: string;
  /** Undefined where only a chain is left. */
  readonly text: string | undefined;
  /** The file of its key chain. */
  readonly chain: string | undefined;
}

interface NewClient {
  readonly name: string;
  /** Undefined for the lowest one that is free. */
  readonly mux: number | undefined;
  readonly chain: string | undefined;
  textFor(mux: number): string;
}

/** What takes the place of a client's text and chain. */
export interface Replacement {
  readonly text: string;
  /** Undefined for none. */
  readonly chain: string | undefined;
}

/** The store has not answered: it may have done what it was asked. */
export class UnsureError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "UnsureError";
  }
}

/** Others may change the same as often, and hardly more often. */
const ATTEMPTS = 32;

export class StoredClients {
  readonly #store: Pick<EtcdClient, "get" | "range" | "transact">;
  readonly #prefix: string;
  readonly #random: () => number;

  /** @param random At least 0, less than 1 */
  constructor(
    store: Pick<EtcdClient, "get" | "range" | "transact">,
    prefix: string,
    random: () => number,
  ) {
    this.#store = store;
    this.#prefix = prefix;
    this.#random = random;
  }

  /**
   * @returns Its mux
   * @throws {UnsureError | Error}
   */
  async add(client: NewClient): Promise<number> {
    const { name, chain } = client;
    const [key, keyOfChain] = this.#keysOf(name);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const mux = client.mux ?? await this.#freeMux(attempt > 0);
      const text = client.textFor(mux);
      const index = muxKey(this.#prefix, mux);
      const isDone = await this.#transact(
        [key, keyOfChain, index].map((key) => ({ key, isMissing: true })),
        [
          { put: key, value: text },
          { put: index, value: name },
          ...(chain === undefined ? [] : [{ put: keyOfChain, value: chain }]),
        ],
      );
      if (isDone) return mux;
      await this.#explain(name, client.mux);
    }
    throw tooBusy();
  }

  /** @throws {UnsureError | Error} also if there is no such client */
  async remove(name: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [client, chain] = await this.#entriesOf(name);
      const index = await this.#indexOf(name, client);
      const found = [client, chain, ...index].filter((one) =>
        one !== undefined
      );
      if (found.length === 0) throw await this.#missing(name);
      const isDone = await this.#transact(
        found.map(({ key, modRevision }) => ({ key, modRevision })),
        found.map(({ key }) => ({ delete: key })),
      );
      if (isDone) return;
    }
    throw tooBusy();
  }

  /**
   * Reads a client, and puts what becomes of it in its place unless somebody
   * else has changed it meanwhile.
   * @param change Called again where that is so
   * @throws {UnsureError | Error} also if there is no such client
   */
  async replace(
    name: string,
    change: (client: Replacement) => Replacement,
  ): Promise<void> {
    const [key, keyOfChain] = this.#keysOf(name);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [client, chain] = await this.#entriesOf(name);
      if (client === undefined) throw await this.#missing(name);
      // What is that long may have been read in part, and would be put so.
      if (client.value.length > MAX_CLIENT_BYTES) {
        throw new Error(`it has more than ${MAX_CLIENT_BYTES} bytes`);
      }
      const before = { text: client.value, chain: chain?.value };
      const after = change(before);
      const isDone = await this.#transact(
        [stillSo(key, client), stillSo(keyOfChain, chain)],
        [
          ...operationsFor(key, before.text, after.text),
          ...operationsFor(keyOfChain, before.chain, after.chain),
        ],
      );
      if (isDone) return;
    }
    throw tooBusy();
  }

  /** @returns undefined if there is no such client */
  async get(name: string): Promise<Replacement | undefined> {
    const [client, chain] = await this.#entriesOf(name);
    return client && { text: client.value, chain: chain?.value };
  }

  /** By their names. Keys that are no part of a client are passed over. */
  async list(): Promise<readonly StoredClient[]> {
    const { entries } = await this.#store.range(clientsPrefix(this.#prefix));
    const clients = new Map<string, { text?: string; chain?: string }>();
    for (const { key, value } of entries) {
      const name = recordName(this.#prefix, key);
      if (name === undefined) continue;
      const client = clients.get(name.client) ?? {};
      clients.set(name.client, client);
      if (name.part === "client") client.text = value;
      else client.chain = value;
    }
    return [...clients].toSorted(([a], [b]) => a < b ? -1 : 1)
      .map(([name, { text, chain }]) => ({ name, text, chain }));
  }

  #keysOf(name: string): readonly [client: string, chain: string] {
    return [clientKey(this.#prefix, name), chainKey(this.#prefix, name)];
  }

  async #entriesOf(
    name: string,
  ): Promise<readonly [KeyValue | undefined, KeyValue | undefined]> {
    const [client, chain] = this.#keysOf(name);
    return [await this.#store.get(client), await this.#store.get(chain)];
  }

  /**
   * @param anyOne Others may be about to take the lowest one, too
   * @throws if all are taken
   */
  async #freeMux(anyOne: boolean): Promise<number> {
    const { entries } = await this.#store.range(muxesPrefix(this.#prefix));
    const taken = new Set(entries.map(({ key }) => key));
    const free: number[] = [];
    // 0 is what clients have that name no mux.
    for (let mux = 1; mux <= U16_MAX; mux++) {
      if (!taken.has(muxKey(this.#prefix, mux))) free.push(mux);
      if (!anyOne && free.length > 0) break;
    }
    const mux = free[Math.floor(this.#random() * free.length)];
    if (mux !== undefined) return mux;
    throw new Error(`all ${U16_MAX} muxes are taken: remove a client first`);
  }

  /** @throws if it is no chance that something was there already */
  async #explain(name: string, mux: number | undefined): Promise<void> {
    const [client, chain] = await this.#entriesOf(name);
    if (client !== undefined) {
      throw new Error(
        "there is one of this name: choose another, or remove it first",
      );
    }
    if (chain !== undefined) {
      throw new Error(
        "a key chain is left of one of this name: remove it first " +
          `(anytun fleet remove ${name})`,
      );
    }
    if (mux === undefined) return;
    const index = await this.#store.get(muxKey(this.#prefix, mux));
    if (index === undefined) return;
    // It may be anything that somebody has put there.
    const { value } = index;
    const owner = isClientName(value) ? `'${value}'` : "somebody else";
    throw new Error(
      `mux ${mux} (--mux) is that of ${owner}: choose another, or none, for ` +
        "one that is free",
    );
  }

  /** The keys of its muxes; one with an odd text has to be looked for. */
  async #indexOf(
    name: string,
    client: KeyValue | undefined,
  ): Promise<readonly KeyValue[]> {
    const mux = client && muxOf(client.value);
    if (mux !== undefined) {
      const entry = await this.#store.get(muxKey(this.#prefix, mux));
      if (entry?.value === name) return [entry];
    }
    const { entries } = await this.#store.range(muxesPrefix(this.#prefix));
    return entries.filter(({ value }) => value === name);
  }

  async #transact(
    comparisons: readonly Comparison[],
    operations: readonly Operation[],
  ): Promise<boolean> {
    try {
      return await this.#store.transact(comparisons, operations);
    } catch (error) {
      const isUnsure = error instanceof StoreError && error.isUnreachable;
      throw isUnsure ? new UnsureError(error) : error;
    }
  }

  async #missing(name: string): Promise<Error> {
    const names = (await this.list()).map((client) => client.name);
    return new NoSuchClient(name, names);
  }
}

export class NoSuchClient extends Error {
  /** Of the clients that there are. */
  readonly names: readonly string[];

  constructor(name: string, names: readonly string[]) {
    super(`there is no client '${name}'`);
    this.name = "NoSuchClient";
    this.names = names;
  }
}

function stillSo(key: string, entry: KeyValue | undefined): Comparison {
  return entry === undefined
    ? { key, isMissing: true }
    : { key, modRevision: entry.modRevision };
}

/** Watchers hear of what is put: what stays the same is left alone. */
function operationsFor(
  key: string,
  before: string | undefined,
  after: string | undefined,
): readonly Operation[] {
  if (after === before) return [];
  return after === undefined ? [{ delete: key }] : [{ put: key, value: after }];
}

function tooBusy(): Error {
  return new Error(
    `others have changed the same ${ATTEMPTS} times meanwhile: try again`,
  );
}
