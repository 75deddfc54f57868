// Store of records as the measurement sees it: etcd or NATS.

/** What is put and heard of. */
export interface Change {
  readonly key: string;
  readonly value: string;
}

/** A connection to a store. */
export interface Store extends AsyncDisposable {
  /** Puts one value. */
  put(change: Change): Promise<void>;
  /** Puts many, as fast as it takes them. */
  putAll(changes: readonly Change[]): Promise<void>;
  /**
   * All that is there, then each change; goes on after the connection was lost,
   * without a gap.
   */
  watch(heard: (change: Change) => void): Promise<void>;
}

export const STORES = ["etcd", "nats"] as const;
export type StoreName = typeof STORES[number];

/** @param port At the loopback address */
export async function openStore(
  name: StoreName,
  port: number,
): Promise<Store> {
  if (name === "etcd") return (await import("./etcd.ts")).openEtcd(port);
  return await (await import("./nats.ts")).openNats(port);
}
