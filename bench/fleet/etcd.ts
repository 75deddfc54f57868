// etcd by the client of the program.
import { openStore } from "../../src/daemon/etcd.ts";
import { StoreError } from "../../src/fleet/store_error.ts";
import type { EtcdClient } from "../../src/fleet/etcd_client.ts";
import type { Change, Store } from "./store.ts";
import { delay } from "../../src/net/delay.ts";

const PREFIX = "/bench/";

/** Operations of a transaction; etcd takes 128. */
const BATCH = 100;
const PAUSE_MS = 250;

/** Opens it for a writer or a watcher. */
export function openEtcd(port: number): Store {
  const store = openStore({
    origins: [`http://127.0.0.1:${port}`],
    prefix: PREFIX,
    text: "",
    login: undefined,
    tls: undefined,
  });
  const { client } = store;
  const putAll = async (changes: readonly Change[]) => {
    for (let at = 0; at < changes.length; at += BATCH) {
      const batch = changes.slice(at, at + BATCH);
      await client.transact(
        [],
        batch.map(({ key, value }) => ({ put: PREFIX + key, value })),
      );
    }
  };
  return {
    put: (change) => putAll([change]),
    putAll,
    watch: (heard) => watch(client, heard),
    [Symbol.asyncDispose]: () => Promise.resolve(store[Symbol.dispose]()),
  };
}

async function watch(
  client: EtcdClient,
  heard: (change: Change) => void,
): Promise<never> {
  const tell = ({ key, value }: Change) =>
    heard({ key: key.slice(PREFIX.length), value });
  let from: number | undefined;
  for (;;) {
    try {
      if (from === undefined) {
        const { header, entries } = await client.range(PREFIX);
        entries.forEach(tell);
        from = header.revision + 1;
      }
      const signal = new AbortController().signal;
      for await (const message of client.watch(PREFIX, from, signal)) {
        message.events.forEach(tell);
        const { events, header, isProgress } = message;
        const last = events.at(-1)?.modRevision;
        if (last !== undefined) from = last + 1;
        else if (isProgress) from = header.revision + 1;
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await delay(PAUSE_MS);
    }
  }
}
