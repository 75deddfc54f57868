// One of the watchers, a process of its own: it says what it has heard when it
// hears of a mark.
import { openStore, STORES } from "./store.ts";
import { now } from "./clock.ts";
import { quantile } from "../tunnel/statistics.ts";

/** What a watcher tells at a mark, a line of JSON. */
export interface Heard {
  readonly mark: string;
  /** ms, by the clock of the host. */
  readonly at: number;
  /** Keys that it knows. */
  readonly keys: number;
  /** Changes since the mark before. */
  readonly changes: number;
  /** ms from before it was put until it was heard. */
  readonly p50: number;
  readonly p99: number;
  /** Bytes of the process. */
  readonly rss: number;
}

/** The key of marks, whose value is the mark. */
export const MARK = "mark";

if (import.meta.main) {
  const [name, port] = Deno.args;
  const storeName = STORES.find((one) => one === name);
  if (storeName === undefined) throw new Error(`there is no store ${name}`);
  await using store = await openStore(storeName, Number(port));
  const known = new Map<string, string>();
  let delays: number[] = [];
  await store.watch(({ key, value }) => {
    const at = now();
    if (key !== MARK) {
      known.set(key, value);
      delays.push(at - Number(/^# (\S+)/.exec(value)?.[1]));
      return;
    }
    const heard: Heard = {
      mark: value,
      at,
      keys: known.size,
      changes: delays.length,
      p50: delays.length === 0 ? NaN : quantile(delays, 0.5),
      p99: delays.length === 0 ? NaN : quantile(delays, 0.99),
      rss: Deno.memoryUsage().rss,
    };
    delays = [];
    Deno.stdout.writeSync(
      new TextEncoder().encode(`${JSON.stringify(heard)}\n`),
    );
  });
}
