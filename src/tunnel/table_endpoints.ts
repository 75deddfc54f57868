// Places of peers in the records of connections: the endpoint, the address of
// this host that it sends to and that answers leave from, and the MTU of the path
// between the two.
import {
  copyLocal,
  copySockaddr,
  LOCAL_WORDS,
  sameSockaddr,
  SOCKADDR_WORDS,
} from "../../ffi/net/sockaddr.ts";
import type { KeySets } from "./key_sets.ts";
import type { RecordLocks } from "./record_lock.ts";

// Places within a record, in words.
const ENDPOINT = 4;
const CALLS = 11;
const PATH_MTU = 127;
const LOCAL = 128;

interface RecordParts {
  /** Words of a record. */
  readonly stride: number;
  readonly locks: RecordLocks;
  readonly sets: KeySets;
}

export class TableEndpoints {
  readonly #words: Uint32Array;
  readonly #stride: number;
  readonly #locks: RecordLocks;
  readonly #sets: KeySets;

  constructor(
    shared: SharedArrayBuffer,
    { stride, locks, sets }: RecordParts,
  ) {
    this.#words = new Uint32Array(shared);
    this.#stride = stride;
    this.#locks = locks;
    this.#sets = sets;
  }

  /**
   * From which of its addresses this host sends there is for the kernel to choose
   * until the peer is heard.
   *
   * @returns false if it was that already
   */
  set(mux: number, from: Uint32Array, at: number): boolean {
    const record = mux * this.#stride;
    if (sameSockaddr(this.#words, record + ENDPOINT, from, at)) return false;
    this.#locks.change(record, () => this.#moveTo(record, from, at));
    return true;
  }

  /**
   * Stores where the peer was heard. A batch in work may be older than a
   * removal or a change of keys: then it says nothing about the present
   * connection.
   *
   * @param name Of the keys that the datagram was opened with
   */
  follow(mux: number, name: number, from: Uint32Array, at: number): boolean {
    const record = mux * this.#stride;
    return this.#locks.change(record, () => {
      if (!this.#sets.holds(record, name)) return false;
      this.#moveTo(record, from, at);
      return true;
    });
  }

  copy(mux: number, to: Uint32Array, at: number): void {
    const record = mux * this.#stride;
    this.#locks.read(record, () => {
      copySockaddr(this.#words, record + ENDPOINT, to, at);
    });
  }

  /**
   * This side was told where the peer is, and speaks first: while the peer is
   * silent the kernel chooses where that leaves from, as at the start. Routes may
   * have changed, and the peer follows to another address.
   */
  setCalls(mux: number): void {
    if (this.calls(mux)) return;
    const record = mux * this.#stride;
    this.#locks.change(record, () => {
      Atomics.store(this.#words, record + CALLS, 1);
    });
  }

  /** See {@link setCalls}. */
  calls(mux: number): boolean {
    return Atomics.load(this.#words, mux * this.#stride + CALLS) === 1;
  }

  /**
   * Stores to which local address the peer sends, as of {@link follow}.
   *
   * @param from {@link LOCAL_WORDS} words
   */
  setLocal(mux: number, name: number, from: Uint32Array, at: number): boolean {
    const record = mux * this.#stride;
    return this.#locks.change(record, () => {
      if (!this.#sets.holds(record, name)) return false;
      copyLocal(from, at, this.#words, record + LOCAL);
      return true;
    });
  }

  /** This host has that address no more. */
  forgetLocal(mux: number): void {
    const record = mux * this.#stride;
    this.#locks.change(record, () => this.#clearLocal(record));
  }

  copyLocal(mux: number, to: Uint32Array): void {
    const record = mux * this.#stride;
    this.#locks.read(record, () => {
      copyLocal(this.#words, record + LOCAL, to, 0);
    });
  }

  /** Bytes of an IP packet that the path to the peer takes; 0 if unknown. */
  pathMtu(mux: number): number {
    return Atomics.load(this.#words, mux * this.#stride + PATH_MTU);
  }

  /**
   * The threads see it from their next batch on.
   *
   * @returns What was known before
   */
  setPathMtu(mux: number, bytes: number): number {
    const record = mux * this.#stride;
    const before = this.pathMtu(mux);
    const isConnection = this.#sets.sealing(record) !== 0;
    if (before === bytes || !isConnection) return before;
    this.#locks.change(record, () => {
      Atomics.store(this.#words, record + PATH_MTU, bytes);
    });
    return before;
  }

  /** Of a connection that is removed, under its lock. */
  clear(record: number): void {
    this.#words.fill(0, record + ENDPOINT, record + ENDPOINT + SOCKADDR_WORDS);
    Atomics.store(this.#words, record + CALLS, 0);
    this.#clearLocal(record);
    Atomics.store(this.#words, record + PATH_MTU, 0);
  }

  /** What was known of the path to the last endpoint is of no use now. */
  #moveTo(record: number, from: Uint32Array, at: number): void {
    copySockaddr(from, at, this.#words, record + ENDPOINT);
    this.#clearLocal(record);
    Atomics.store(this.#words, record + PATH_MTU, 0);
  }

  #clearLocal(record: number): void {
    this.#words.fill(0, record + LOCAL, record + LOCAL + LOCAL_WORDS);
  }
}
