/** An engine in memory, with the transactions of a real one. */
import { EngineError } from "../../src/fleet/engine_error.ts";
import type {
  Comparison,
  EtcdClient,
  Operation,
  Range,
} from "../../src/fleet/etcd_client.ts";
import type { KeyValue } from "../../src/fleet/etcd_json.ts";

export class MemoryEngine
  implements Pick<EtcdClient, "get" | "range" | "transact"> {
  readonly #entries = new Map<string, KeyValue>();
  #revision = 1;
  /** Called once, before the next transaction. */
  meanwhile: (() => void | Promise<void>) | undefined;
  /** How it fails, in place of an answer to a transaction. */
  fault: "before" | "behind" | undefined;
  transactions = 0;

  put(key: string, value: string): void {
    const modRevision = ++this.#revision;
    const createRevision = this.#entries.get(key)?.createRevision ??
      modRevision;
    this.#entries.set(key, { key, value, createRevision, modRevision });
  }

  /** All keys and values. */
  get content(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Array.from(this.#entries.values(), ({ key, value }) => [key, value]),
    );
  }

  get(key: string): Promise<KeyValue | undefined> {
    return Promise.resolve(this.#entries.get(key));
  }

  range(prefix: string): Promise<Range> {
    const entries = [...this.#entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .toSorted((a, b) => a.key < b.key ? -1 : 1);
    const header = { cluster: "1", term: 2, revision: this.#revision };
    return Promise.resolve({ header, entries });
  }

  async transact(
    comparisons: readonly Comparison[],
    operations: readonly Operation[],
  ): Promise<boolean> {
    this.transactions++;
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    const unreachable = () =>
      new EngineError("Cannot reach it", { isUnreachable: true });
    if (this.fault === "before") throw unreachable();
    const holds = comparisons.every((comparison) => {
      const entry = this.#entries.get(comparison.key);
      return "isMissing" in comparison
        ? entry === undefined
        : entry?.modRevision === comparison.modRevision;
    });
    for (const operation of holds ? operations : []) {
      if ("put" in operation) this.put(operation.put, operation.value);
      else this.#entries.delete(operation.delete);
    }
    if (this.fault === "behind") throw unreachable();
    return holds;
  }
}
