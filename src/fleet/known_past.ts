// Past of a store as far as it takes to notice that it is another one by now, as
// where it was restored from a backup and has counted on since (docs/fleet.md,
// "How the control daemon follows").
import type { EtcdClient } from "./etcd_client.ts";
import type { KeyValue } from "./etcd_json.ts";
import type { WatchEvent } from "./etcd_watch.ts";
import { keptValue } from "./layout.ts";

/** Keys that are asked for: etcd takes 128 in one request. */
const MOST = 32;

export class KnownPast {
  /** Of all keys. */
  #count = 0;
  /** Revision of the last change. */
  #last = 0;
  /** Those that were changed last, and what has become of them. */
  readonly #latest = new Map<string, KeyValue | undefined>();

  /** All that there is. */
  replace(entries: readonly KeyValue[]): void {
    this.#count = entries.length;
    this.#latest.clear();
    const sorted = entries.toSorted((a, b) => a.modRevision - b.modRevision);
    this.#last = sorted.at(-1)?.modRevision ?? 0;
    for (const entry of sorted.slice(-MOST)) this.#note(entry.key, entry);
  }

  note(event: WatchEvent): void {
    const { key, isDeleted, createRevision, modRevision } = event;
    this.#last = Math.max(this.#last, modRevision);
    if (isDeleted) this.#count--;
    else if (createRevision === modRevision) this.#count++;
    this.#note(key, isDeleted ? undefined : event);
  }

  /**
   * Whether at that revision the store was what is known of it. Two pasts that
   * differ before their last changes alone, and in as many keys, look the same.
   * @throws {StoreError} also if it has forgotten that revision
   */
  async isThatOf(
    store: Pick<EtcdClient, "rangesAt">,
    prefix: string,
    revision: number,
  ): Promise<boolean> {
    const latest = [...this.#latest];
    const [all, later, ...found] = await store.rangesAt(revision, [
      { prefix, isCount: true },
      { prefix, since: this.#last + 1 },
      ...latest.map(([key]) => ({ key })),
    ]);
    return all?.count === this.#count && later?.entries.length === 0 &&
      latest.every(([, entry], index) =>
        isSame(entry, found[index]?.entries.at(0))
      );
  }

  #note(key: string, entry: KeyValue | undefined): void {
    // What is no text cannot be asked for.
    if (key.includes("\ufffd")) return;
    this.#latest.delete(key);
    this.#latest.set(key, entry && { ...entry, value: keptValue(entry.value) });
    if (this.#latest.size <= MOST) return;
    const [first = ""] = this.#latest.keys();
    this.#latest.delete(first);
  }
}

function isSame(a: KeyValue | undefined, b: KeyValue | undefined): boolean {
  return a?.modRevision === b?.modRevision &&
    a?.createRevision === b?.createRevision &&
    a?.value === (b && keptValue(b.value));
}
