/**
 * A worker of the native plane, put together from its setup: one arena, one
 * engine, a pump for each direction.
 *
 * @module
 */
import { SystemError } from "../../ffi/errno.ts";
import { openIpsecMb } from "../../ffi/ipsec_mb.ts";
import { type Libc, openLibc } from "../../ffi/libc.ts";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { Bell, PollSet } from "../../ffi/poll.ts";
import { IPSEC_MB_ARENA_BYTES, IpsecMbEngine } from "../crypto/ipsec_mb.ts";
import { OpensslEngine } from "../crypto/openssl.ts";
import type { SyncCryptoEngine } from "../satp/engine.ts";
import { CarryLoop } from "./carry_loop.ts";
import { Connections } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import { DeviceTurn } from "./device_turn.ts";
import { withMoves } from "./inbound_events.ts";
import { INBOUND_ARENA_BYTES } from "./inbound_pump.ts";
import type { NativeEngineName, NativeSetup } from "./native_messages.ts";
import { OUTBOUND_ARENA_BYTES } from "./outbound_pump.ts";
import type { PlaneLog } from "./plane_log.ts";
import { inboundPump, outboundPump, type PumpParts } from "./pump_parts.ts";
import { REHEARSAL_BYTES, rehearse } from "./rehearsal.ts";

/** How long log lines may be held back unsaid while nothing happens, in ms. */
const CONFESSION_MS = 10_000;

/** Bytes for two pumps and the engine. */
const ARENA_BYTES = OUTBOUND_ARENA_BYTES + INBOUND_ARENA_BYTES +
  IPSEC_MB_ARENA_BYTES;

/** Of the rehearsal before the rehearsal. */
const FIRST_ROUNDS = 20;

/** Makes an engine for an arena. */
type EngineMaker = (arena: Arena) => SyncCryptoEngine;

/**
 * Opens what the setup names.
 *
 * @param moved Called when a peer is heard from another endpoint
 * @param now A clock that never goes back, in milliseconds
 * @throws {LibcryptoError} if libcrypto is not to be had
 * @throws {IpsecMbError} if libIPSec_MB is not to be had
 */
export async function openLoop(
  setup: NativeSetup,
  planeLog: PlaneLog,
  moved: (mux: number) => void,
  now: () => number,
): Promise<CarryLoop> {
  const libc = openLibc();
  const newEngine = await engineMaker(setup.engine);
  tryRehearsal(setup, libc, newEngine, now);

  const arena = new Arena(ARENA_BYTES);
  const engine = newEngine(arena);
  const table = new ConnectionTable(setup.connections);
  const { role, device } = setup;
  const connections = new Connections(table, engine);
  const parts: PumpParts = {
    setup,
    libc,
    arena,
    engine,
    connections,
    counters: new Float64Array(setup.counters),
    device,
    now,
  };
  const inbound = role === "out" ? undefined : inboundPump(
    parts,
    setup.receiveFrom,
    withMoves(planeLog, moved),
  );
  return new CarryLoop({
    wait: new PollSet(libc, arena, 2 + setup.receiveFrom.length),
    bell: new Bell(libc, setup.bell),
    device,
    outbound: outboundPump(
      parts,
      setup.sockets,
      planeLog,
    ),
    inbound,
    sockets: setup.receiveFrom,
    connections,
    turn: role === "all" ? undefined : new DeviceTurn(
      role,
      setup.turn,
      new Bell(libc, setup.otherBell),
      now,
    ),
    patience: CONFESSION_MS,
    log: planeLog,
  });
}

// First shortly: the first objects of a kind teach the runtime what their fields
// hold, so that it does not compile for those alone. Without a loopback device
// the first packets are slower, and nothing else.
function tryRehearsal(
  setup: NativeSetup,
  libc: Libc,
  newEngine: EngineMaker,
  now: () => number,
): void {
  for (const rounds of [FIRST_ROUNDS, setup.rehearsalRounds]) {
    const arena = new Arena(ARENA_BYTES + REHEARSAL_BYTES);
    try {
      rehearse(setup, rounds, { libc, arena, engine: newEngine(arena), now });
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
