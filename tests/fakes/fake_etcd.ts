/**
 * An etcd in memory, as far as its gateway is used.
 *
 * @module
 */
import type { Post } from "../../src/fleet/etcd_session.ts";
import {
  type Change,
  changeOf,
  type Compare,
  decode,
  type Event,
  keyValue,
  type RangeRequest,
  refusal,
  type Request,
  type Stored,
  unsent,
} from "./fake_etcd_wire.ts";

type Store = ReadonlyMap<string, Stored>;

/** All that it was at a moment. */
export interface Backup {
  readonly revision: number;
  readonly store: Store;
  readonly base: Store;
  readonly events: readonly Event[];
}

interface Watcher {
  readonly from: string;
  readonly end: string;
  send(message: unknown): void;
  hangUp(): void;
}

export class FakeEtcd {
  cluster = "14841639068965178418";
  revision = 1;
  term = 2;
  /** Tells watchers nothing, and keeps what is open. */
  isMute = false;
  /** Refuses every connection. */
  isDown = false;
  /** Hosts that answer nothing, and keep what is open. */
  readonly deaf = new Set<string>();
  /** Bytes of a piece of what it sends to watchers. */
  piece = 7;
  /** Whom it knows, if it asks. */
  login: { readonly name: string; readonly password: string } | undefined;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** What is answered in place of what is right, the first one first. */
  readonly lies: Response[] = [];
  /** Called once, before the next transaction. */
  meanwhile: (() => void | Promise<void>) | undefined;
  /** Whether transactions get no answer, though they may have been done. */
  fault: "before" | "behind" | undefined;
  #tokens = new Set<string>();
  #store = new Map<string, Stored>();
  /** Of the store, until it changes. */
  #sorted: (readonly [string, Stored])[] | undefined;
  #events: Event[] = [];
  /** What there was before them. */
  #base: Store = new Map();
  #compacted = 0;
  readonly #watchers = new Set<Watcher>();

  put(key: string, value: string): void {
    this.#change([{ key, value }]);
  }

  /** All in one revision. */
  delete(...keys: readonly string[]): void {
    this.#change(keys.map((key) => ({ key, value: undefined })));
  }

  /** All keys and values. */
  get content(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Array.from(this.#store, ([key, { value }]) => [key, value]),
    );
  }

  compact(): void {
    this.#compacted = this.revision;
    this.#events = [];
    this.#base = new Map(this.#store);
  }

  backup(): Backup {
    const [store, base] = [new Map(this.#store), new Map(this.#base)];
    return { revision: this.revision, store, base, events: [...this.#events] };
  }

  /** By the same name, and by chance in the same term. */
  restoreFrom({ revision, store, base, events }: Backup): void {
    this.revision = revision;
    this.#store = new Map(store);
    this.#sorted = undefined;
    this.#base = new Map(base);
    this.#events = [...events];
    this.hangUp();
  }

  /** Another one at the same place. */
  remake(): void {
    this.cluster = String(BigInt(this.cluster) - 1n);
    this.revision = 1;
    this.#store = new Map();
    this.#sorted = undefined;
    this.#events = [];
    this.#base = new Map();
    this.hangUp();
  }

  /** From a backup, by the same name; it has counted on since. */
  restore(...lost: readonly string[]): void {
    this.term = 1;
    for (const key of lost) this.#store.delete(key);
    this.#sorted = undefined;
    this.hangUp();
  }

  /** Ends all watches. */
  hangUp(): void {
    for (const watcher of this.#watchers) watcher.hangUp();
    this.#watchers.clear();
  }

  forgetTokens(): void {
    this.#tokens.clear();
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Tells watchers how far it is, as it does every ten minutes. */
  progress(): void {
    for (const { send } of this.#watchers) {
      send({ result: { header: this.#header() } });
    }
  }

  /** Tells watchers once more of all that became of a key. */
  repeat(key: string): void {
    const events = this.#events.filter((event) => event.key === key);
    for (const watcher of this.#watchers) this.#send(watcher, events);
  }

  /** Requests that are not answered yet. */
  inFlight = 0;

  readonly post: Post = async (url, request) => {
    this.inFlight++;
    // In a later turn, as with any network.
    await new Promise((resolve) => setTimeout(resolve));
    this.inFlight--;
    return await this.#answer(url, request);
  };

  #answer(
    url: string,
    { body, headers, signal }: Parameters<Post>[1],
  ): Response | Promise<Response> {
    signal.throwIfAborted();
    const { pathname, hostname } = new URL(url);
    if (this.isDown || this.deaf.has(hostname)) {
      throw unsent();
    }
    this.asked.push(pathname);
    const lie = this.lies.shift();
    if (lie !== undefined) return lie;
    const request = JSON.parse(body);
    if (pathname === "/v3/auth/authenticate") return this.#logIn(request);
    const isKnown = this.login === undefined ||
      this.#tokens.has(headers.authorization ?? "");
    if (!isKnown) return refusal(401, 16, "etcdserver: invalid auth token");
    if (pathname === "/v3/kv/range") return this.#range(request);
    if (pathname === "/v3/kv/txn") return this.#transact(request);
    if (pathname === "/v3/watch") {
      return this.#watch(request.create_request, signal);
    }
    return new Response("404 page not found", { status: 404 });
  }

  #logIn({ name, password }: Record<string, unknown>): Response {
    const { login } = this;
    if (login?.name !== name || login?.password !== password) {
      return refusal(400, 3, "etcdserver: authentication failed");
    }
    const token = `token.${this.#tokens.size}`;
    this.#tokens.add(token);
    return Response.json({ header: this.#header(), token });
  }

  #range(request: RangeRequest): Response {
    return this.#refusalOf(request) ?? Response.json(this.#rangeOf(request));
  }

  #refusalOf({ revision }: RangeRequest): Response | undefined {
    const at = Number(revision ?? this.revision);
    if (at >= this.#compacted && at <= this.revision) return undefined;
    const what = at > this.revision
      ? "is a future revision"
      : "has been compacted";
    return refusal(400, 11, `etcdserver: mvcc: required revision ${what}`);
  }

  #rangeOf(request: RangeRequest) {
    const from = decode(request.key);
    const end = request.range_end ? decode(request.range_end) : `${from}\0`;
    const all = this.#at(Number(request.revision ?? this.revision))
      .filter(([key]) => key >= from && key < end);
    const since = Number(request.min_mod_revision ?? 0);
    const found = all.filter(([, { modified }]) => modified >= since);
    const limit = request.count_only ? 0 : Number(request.limit ?? Infinity);
    const page = found.slice(0, limit);
    return {
      header: this.#header(),
      kvs: page.map(([key, { value, ...stored }]) =>
        keyValue({ key, ...stored, value: request.keys_only ? "" : value })
      ),
      more: !request.count_only && page.length < found.length,
      count: String(all.length),
    };
  }

  #at(revision: number): readonly (readonly [string, Stored])[] {
    const sort = (store: Store) =>
      [...store].sort(([a], [b]) => a < b ? -1 : 1);
    if (revision === this.revision) return this.#sorted ??= sort(this.#store);
    const store = new Map(this.#base);
    for (const { key, value, created = 0, modified } of this.#events) {
      if (modified > revision) break;
      if (value === undefined) store.delete(key);
      else store.set(key, { value, created, modified });
    }
    return sort(store);
  }

  async #transact(
    { compare = [], success }: {
      readonly compare?: readonly Compare[];
      readonly success: readonly Request[];
    },
  ): Promise<Response> {
    const ranges = success.flatMap(({ request_range }) => request_range ?? []);
    if (ranges.length > 0) return this.#ranges(ranges);
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    if (this.fault === "before") throw unsent();
    const succeeded = compare.every((one) => this.#holds(one));
    if (succeeded) this.#change(success.map(changeOf));
    if (this.fault === "behind") throw unsent();
    // What is false is left out, as everything that is zero.
    return Response.json({
      header: this.#header(),
      ...(succeeded && { succeeded }),
    });
  }

  #ranges(ranges: readonly RangeRequest[]): Response {
    for (const range of ranges) {
      const refusal = this.#refusalOf(range);
      if (refusal !== undefined) return refusal;
    }
    return Response.json({
      header: this.#header(),
      succeeded: true,
      responses: ranges.map((range) => ({
        response_range: {
          ...this.#rangeOf(range),
          header: { revision: String(this.revision) },
        },
      })),
    });
  }

  /** What is not there has the revision 0. */
  #holds({ key, target, create_revision, mod_revision }: Compare): boolean {
    const stored = this.#store.get(decode(key));
    return target === "CREATE"
      ? (stored?.created ?? 0) === Number(create_revision)
      : (stored?.modified ?? 0) === Number(mod_revision);
  }

  /** All in one revision. */
  #change(changes: readonly Change[]): void {
    const modified = ++this.revision;
    this.#sorted = undefined;
    this.#note(changes.map(({ key, value }) => {
      if (value === undefined) {
        this.#store.delete(key);
        return { key, modified };
      }
      const created = this.#store.get(key)?.created ?? modified;
      this.#store.set(key, { value, created, modified });
      return { key, value, created, modified };
    }));
  }

  #watch(request: Record<string, string>, signal: AbortSignal): Response {
    const pieces = (message: unknown) => {
      const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
      const count = Math.ceil(bytes.length / this.piece);
      return Array.from(
        { length: count },
        (_, k) => bytes.slice(k * this.piece, (k + 1) * this.piece),
      );
    };
    const from = decode(request.key);
    const end = decode(request.range_end);
    const start = Number(request.start_revision);
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (to) => {
        const send = (message: unknown) => {
          for (const piece of pieces(message)) to.enqueue(piece);
        };
        const watcher = { from, end, send, hangUp: () => to.close() };
        send({ result: { header: this.#header(), created: true } });
        if (start <= this.#compacted) {
          send({
            result: {
              header: this.#header(),
              canceled: true,
              compact_revision: String(this.#compacted),
            },
          });
          return to.close();
        }
        this.#watchers.add(watcher);
        signal.addEventListener("abort", () => {
          if (this.#watchers.delete(watcher)) to.error(signal.reason);
        });
        this.#send(
          watcher,
          this.#events.filter(({ modified }) => modified >= start),
        );
      },
    });
    return new Response(body);
  }

  #note(events: readonly Event[]): void {
    this.#events.push(...events);
    if (this.isMute) return;
    for (const watcher of this.#watchers) this.#send(watcher, events);
  }

  #send({ from, end, send }: Watcher, events: readonly Event[]): void {
    const own = events.filter(({ key }) => key >= from && key < end);
    if (own.length === 0) return;
    send({
      result: {
        header: this.#header(),
        events: own.map((event) => ({
          ...(event.value === undefined ? { type: "DELETE" } : {}),
          kv: keyValue(event),
        })),
      },
    });
  }

  #header() {
    return {
      cluster_id: this.cluster,
      revision: String(this.revision),
      raft_term: String(this.term),
    };
  }
}
