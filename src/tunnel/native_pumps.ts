/**
 * What a worker of the native plane works with, put together from its setup:
 * one arena, one engine, and a pump for each direction.
 *
 * @module
 */
import { SystemError } from "../../ffi/errno.ts";
import { openIpsecMb } from "../../ffi/ipsec_mb.ts";
import { type Libc, openLibc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { PollSet } from "../../ffi/poll.ts";
import { IPSEC_MB_ARENA_BYTES, IpsecMbEngine } from "../crypto/ipsec_mb.ts";
import { OpensslEngine } from "../crypto/openssl.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import { Connections } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import { withMoves } from "./inbound_events.ts";
import { INBOUND_ARENA_BYTES, type InboundPump } from "./inbound_pump.ts";
import type { NativeEngineName, NativeSetup } from "./native_messages.ts";
import { OUTBOUND_ARENA_BYTES, type OutboundPump } from "./outbound_pump.ts";
import type { PlaneLog } from "./plane_log.ts";
import { inboundPump, outboundPump, type PumpParts } from "./pump_parts.ts";
import { REHEARSAL_BYTES, rehearse } from "./rehearsal.ts";

/** Bytes for two pumps and the engine. */
const ARENA_BYTES = OUTBOUND_ARENA_BYTES + INBOUND_ARENA_BYTES +
  IPSEC_MB_ARENA_BYTES;

/** Ready to carry; all of it belongs to this thread. */
export interface Pumps {
  readonly libc: Libc;
  readonly pumps: readonly (OutboundPump | InboundPump)[];
  /** What the pumps wait for, with room for one more. */
  readonly wait: PollSet;
}

/** Makes an engine for an arena. */
type EngineMaker = (arena: Arena) => SyncCryptoEngine;

/**
 * Opens what the setup names.
 *
 * @param moved Called when a peer is heard from another endpoint
 * @param now A clock that never goes back, in milliseconds
 * @throws {LibcryptoError} if the engine is not to be had
 */
export async function openPumps(
  setup: NativeSetup,
  planeLog: PlaneLog,
  moved: (mux: number) => void,
  now: () => number,
): Promise<Pumps> {
  const libc = openLibc();
  const newEngine = await engineMaker(setup.engine);
  tryRehearsal(setup, libc, newEngine, now);

  const { direction, receiveFrom, device, sockets } = setup;
  const arena = new Arena(ARENA_BYTES);
  const engine = newEngine(arena);
  const parts: PumpParts = {
    setup,
    libc,
    arena,
    engine,
    connections: new Connections(
      new ConnectionTable(setup.connections),
      engine,
    ),
    counters: new Float64Array(setup.counters),
    device,
    now,
  };
  const wait = new PollSet(libc, arena, 2 + receiveFrom.length);
  const pumps: (OutboundPump | InboundPump)[] = [];
  if (direction !== "in") {
    const noSocket = planeLog.noSocket.bind(planeLog);
    pumps.push(outboundPump(parts, sockets, noSocket));
    wait.add(device);
  }
  if (direction !== "out") {
    pumps.push(inboundPump(parts, receiveFrom, withMoves(planeLog, moved)));
    for (const fd of receiveFrom) wait.add(fd);
  }
  return { libc, pumps, wait };
}

// Twice: the first objects of a kind teach the runtime what their fields hold.
// Without a loopback device the first packets are slower, and nothing else.
function tryRehearsal(
  setup: NativeSetup,
  libc: Libc,
  newEngine: EngineMaker,
  now: () => number,
): void {
  for (let k = 0; k < 2; k++) {
    const arena = new Arena(ARENA_BYTES + REHEARSAL_BYTES);
    try {
      rehearse(setup, { libc, arena, engine: newEngine(arena), now });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }
}

// node:crypto takes many megabytes in each thread: loaded only where used.
async function engineMaker(name: NativeEngineName): Promise<EngineMaker> {
  if (name === "builtin") {
    const { BuiltinEngine } = await import("../crypto/builtin.ts");
    return () => new BuiltinEngine();
  }
  const libcrypto = openLibcrypto();
  if (name === "openssl") return (arena) => new OpensslEngine(libcrypto, arena);
  const ipsecMb = openIpsecMb();
  return (arena) => new IpsecMbEngine(ipsecMb, libcrypto, arena);
}
