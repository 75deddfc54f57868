// Clients of a fleet in a store that is in memory.
import { StoredClients } from "../../src/fleet/clients.ts";
import { EtcdClient } from "../../src/fleet/etcd_client.ts";
import { FakeEtcd } from "./fake_etcd.ts";

interface FakeFleet {
  readonly store: FakeEtcd;
  readonly client: EtcdClient;
  readonly clients: StoredClients;
}

/** @param prefix Of the keys */
export function storedClients(prefix: string): FakeFleet {
  const store = new FakeEtcd();
  const client = new EtcdClient({
    ...{ origins: ["http://a:2379"], login: undefined, post: store.post },
    timeout: () => new AbortController().signal,
  });
  return { store, client, clients: new StoredClients(client, prefix, () => 0) };
}
