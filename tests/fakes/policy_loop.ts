/**
 * Asks the policies of the way in about packets, alone in its process: the
 * replay window about senders in turn, the source filter, or the log about what
 * was refused. Prints what the heap grew by for each packet, in bytes, in several
 * runs.
 *
 * The argument is `senders`, `IPv4`, `IPv6` or `refused`. The young part of the heap must be
 * large enough that nothing is collected meanwhile.
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";
import { SteadyClock } from "../../ffi/clock.ts";
import { openLibc } from "../../ffi/libc.ts";
import { SOCKADDR_WORDS } from "../../ffi/net/sockaddr.ts";
import { Routes } from "../../src/route/routes.ts";
import { RouteTable } from "../../src/route/table.ts";
import { ReplayWindow } from "../../src/satp/replay_window.ts";
import { Connection } from "../../src/tunnel/connection.ts";
import { CONNECTION_COUNTERS } from "../../src/tunnel/counters.ts";
import { PlaneLog } from "../../src/tunnel/plane_log.ts";
import { SourceFilter } from "../../src/tunnel/source_filter.ts";
import { routeOf } from "../samples/routes.ts";
import { recordingLog } from "./recording_log.ts";

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

/** Of what is refused, or cannot be sent, for one reason after the other. */
function refused(): (k: number) => boolean {
  const clock = new SteadyClock(openLibc(), Date.now());
  const log = new PlaneLog(recordingLog(), () => clock.now());
  const connection = new Connection(3, new Float64Array(CONNECTION_COUNTERS));
  const words = new Uint32Array(2 * SOCKADDR_WORDS);
  words.fill(7, SOCKADDR_WORDS);
  const packet = new Uint8Array(SIZE).fill(0x45);
  const lines = [
    (k: number) => log.unknownMux(k & 0xffff, words, SOCKADDR_WORDS),
    () => log.wrongTag(connection, words, 0),
    () => log.wrongTag(connection, words, SOCKADDR_WORDS),
    (k: number) => log.replay(connection, k, 0),
    () => log.nowhereToSend(connection, packet, 0, SIZE),
    () => log.nowhereToSend(undefined, packet, 0, SIZE),
    () => log.sendFailed(connection, "ENETUNREACH"),
  ];
  return (k) => {
    lines[k % lines.length]?.(k);
    return true;
  };
}

function policy(): (k: number) => boolean {
  switch (mode) {
    case "senders":
      return senders();
    case "refused":
      return refused();
    default:
      return sources(mode === "IPv4" ? 4 : 6);
  }
}

const passes = policy();
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
