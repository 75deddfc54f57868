/**
 * An etcd in memory, as far as its gateway is used.
 *
 * @module
 */
import type { Post } from "../../src/fleet/etcd_client.ts";

interface Stored {
  readonly value: string;
  readonly created: number;
  readonly modified: number;
}

interface Event extends Partial<Stored> {
  readonly key: string;
  readonly modified: number;
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
  #tokens = new Set<string>();
  #store = new Map<string, Stored>();
  #events: Event[] = [];
  #compacted = 0;
  readonly #watchers = new Set<Watcher>();

  put(key: string, value: string): void {
    const modified = ++this.revision;
    const created = this.#store.get(key)?.created ?? modified;
    this.#store.set(key, { value, created, modified });
    this.#note([{ key, value, created, modified }]);
  }

  /** All in one revision. */
  delete(...keys: readonly string[]): void {
    const modified = ++this.revision;
    for (const key of keys) this.#store.delete(key);
    this.#note(keys.map((key) => ({ key, modified })));
  }

  compact(): void {
    this.#compacted = this.revision;
    this.#events = [];
  }

  /** Another one at the same place. */
  remake(): void {
    this.cluster = String(BigInt(this.cluster) - 1n);
    this.revision = 1;
    this.#store = new Map();
    this.#events = [];
    this.hangUp();
  }

  /** From a backup, by the same name; it has counted on since. */
  restore(...lost: readonly string[]): void {
    this.term = 1;
    for (const key of lost) this.#store.delete(key);
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
  ): Response {
    signal.throwIfAborted();
    const { pathname, hostname } = new URL(url);
    if (this.isDown || this.deaf.has(hostname)) {
      throw new TypeError("error sending request");
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

  #range(request: Record<string, string>): Response {
    const from = decode(request.key);
    const end = request.range_end ? decode(request.range_end) : `${from}\0`;
    const at = Number(request.revision ?? this.revision);
    if (at < this.#compacted) {
      return refusal(
        400,
        11,
        "etcdserver: mvcc: required revision has been compacted",
      );
    }
    // What has changed since is left out: a test that needs it compares.
    const all = [...this.#store].filter(([key, { modified }]) =>
      key >= from && key < end && modified <= at
    ).sort(([a], [b]) => a < b ? -1 : 1);
    const page = all.slice(0, Number(request.limit ?? Infinity));
    return Response.json({
      header: this.#header(),
      kvs: page.map(([key, stored]) => keyValue({ key, ...stored })),
      more: page.length < all.length,
      count: String(all.length),
    });
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

function keyValue({ key, value, created, modified }: Event) {
  return {
    key: btoa(key),
    mod_revision: String(modified),
    ...(value === undefined ? {} : {
      value: new TextEncoder().encode(value).toBase64(),
      create_revision: String(created),
    }),
  };
}

function refusal(status: number, code: number, message: string): Response {
  return Response.json({ error: message, message, code }, { status });
}

function decode(base64 = ""): string {
  return atob(base64);
}
