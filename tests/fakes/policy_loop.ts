/**
 * Asks the policies of the way in about packets, alone in its process: the
 * replay window about senders in turn, or the source filter. Prints what the heap
 * grew by for each packet, in bytes, in several runs.
 *
 * The argument is `senders`, `IPv4` or `IPv6`. The young part of the heap must be
 * large enough that nothing is collected meanwhile.
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";
import { Routes } from "../../src/route/routes.ts";
import { RouteTable } from "../../src/route/table.ts";
import { ReplayWindow } from "../../src/satp/replay_window.ts";
import { SourceFilter } from "../../src/tunnel/source_filter.ts";
import { routeOf } from "../samples/routes.ts";

const [mode = ""] = Deno.args;

const FIRST_PACKETS = 1_000_000;
const PACKETS = 100_000;
const RUNS = 8;
const SENDERS = 64;
const SIZE = 60;

function senders(): (k: number) => boolean {
  const window = new ReplayWindow(1024);
  return (k) => window.accept(k % SENDERS, Math.floor(k / SENDERS));
}

/** The packets of two connections in turn, from high addresses. */
function sources(version: 4 | 6): (k: number) => boolean {
  const table = new RouteTable(RouteTable.allocate());
  const routes = new Routes();
  const prefix = (mux: number) =>
    version === 4 ? `203.0.113.${mux}/32` : `fd00:ffff::${mux}/128`;
  for (const mux of [0, 1]) routes.put(routeOf(prefix(mux), mux));
  routes.publish(table);
  const memory = new Uint8Array(2 * SIZE);
  for (const mux of [0, 1]) {
    const { network } = routeOf(prefix(mux), mux);
    memory[mux * SIZE] = version << 4 | 5;
    if (network.family === "ethernet") continue;
    memory.set(network.bytes, mux * SIZE + (version === 4 ? 12 : 8));
  }
  const filter = new SourceFilter(table);
  return (k) => filter.passes(memory, (k & 1) * SIZE, SIZE, k & 1);
}

const passes = mode === "senders"
  ? senders()
  : sources(mode === "IPv4" ? 4 : 6);
let next = 0;

function ask(count: number): void {
  for (const end = next + count; next < end; next++) {
    if (!passes(next)) throw new Error(`packet ${next} is refused`);
  }
}

ask(FIRST_PACKETS);
const grown: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const before = getHeapStatistics().used_heap_size;
  ask(PACKETS);
  grown.push((getHeapStatistics().used_heap_size - before) / PACKETS);
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(grown)));
