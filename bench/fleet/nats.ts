// NATS JetStream KV by its own client. That is no dependency of the program, nor
// of its tests: it is fetched when the measurement runs, and so its types are
// written down here.
import type { Change, Store } from "./store.ts";

const VERSION = "3.4.0";

interface Entry {
  readonly key: string;
  string(): string;
}

interface Bucket {
  put(key: string, value: string): Promise<number>;
  watch(): Promise<AsyncIterable<Entry>>;
}

interface Connection {
  close(): Promise<void>;
}

interface Transport {
  connect(options: Record<string, unknown>): Promise<Connection>;
}

interface Kv {
  readonly Kvm: new (connection: Connection) => {
    create(name: string, options: { history: number }): Promise<Bucket>;
  };
}

/** Puts that wait for an answer at once. */
const AT_ONCE = 200;

/** Opens it for a writer or a watcher. */
export async function openNats(port: number): Promise<Store> {
  const { connect }: Transport = await load("@nats-io/transport-node");
  const { Kvm }: Kv = await load("@nats-io/kv");
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    waitOnFirstConnect: true,
  });
  const bucket = await new Kvm(connection).create("fleet", { history: 1 });
  return {
    put: async ({ key, value }) => void await bucket.put(key, value),
    async putAll(changes) {
      for (let at = 0; at < changes.length; at += AT_ONCE) {
        const batch = changes.slice(at, at + AT_ONCE);
        await Promise.all(
          batch.map(({ key, value }) => bucket.put(key, value)),
        );
      }
    },
    async watch(heard) {
      for await (const entry of await bucket.watch()) {
        heard({ key: entry.key, value: entry.string() } satisfies Change);
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** By a name that is no literal: nobody fetches it before it is called. */
function load<T>(name: string): Promise<T> {
  return import(`npm:${name}@${VERSION}`);
}
