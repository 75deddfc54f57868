import assert from "node:assert/strict";
import type { Libc } from "../../../ffi/libc.ts";
import { BuiltinEngine } from "../../../src/crypto/builtin.ts";
import type { MasterKey } from "../../../src/satp/engine.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../../src/tunnel/counters.ts";
import { DeviceTurn } from "../../../src/tunnel/native/device_turn.ts";
import type {
  NativeSetup,
  WorkerRole,
} from "../../../src/tunnel/native/messages.ts";
import { openWarmUp } from "../../../src/tunnel/native/warm_up.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { libcTest } from "../../fakes/with_libc.ts";

/** Closes its keys, which a warm-up leaves to the end of the worker. */
class ClosingEngine extends BuiltinEngine implements Disposable {
  readonly #keys: MasterKey[] = [];

  override importMasterKey(key: Uint8Array): MasterKey {
    const master = super.importMasterKey(key);
    this.#keys.push(master);
    return master;
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys) key.close();
  }
}

/** Packets in a round. */
const PACKETS = 5;

/** Rounds before those that the setup asks for. */
const FIRST_ROUNDS = 20;

function setupFor(role: WorkerRole, warmUpRounds: number): NativeSetup {
  return {
    role,
    settings: tunnelSettings(),
    engine: "builtin",
    connections: ConnectionTable.allocate(),
    routes: undefined,
    counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
    stop: new SharedArrayBuffer(4),
    turn: DeviceTurn.allocate(),
    wakeup: -1,
    otherWakeup: -1,
    device: -1,
    sockets: {},
    receiveFrom: [],
    vnetHeader: false,
    gso: false,
    gro: false,
    coalesce: { tcp: false, udp: false },
    warmUpRounds,
  };
}

/** Warms up, and counts what is written to either end of the device, and sent. */
function countWarmUp(
  libc: Libc,
  setup: NativeSetup,
  onWrite: (written: number) => void = () => {},
): { readonly written: number; readonly sent: number } {
  let written = 0;
  let sent = 0;
  const stop = new Int32Array(setup.stop);
  const { writeAt, sendmmsg } = libc.symbols;
  const symbols: Libc["symbols"] = {
    ...libc.symbols,
    writeAt(...args) {
      onWrite(++written);
      return writeAt(...args);
    },
    sendmmsg(...args) {
      const count = sendmmsg(...args);
      sent += count;
      return count;
    },
  };
  using engines = new DisposableStack();
  using idle = openWarmUp(setup, {
    libc: { ...libc, symbols },
    newEngine: () => engines.use(new ClosingEngine()),
    now: () => performance.now(),
  });
  while (!idle.isDone && Atomics.load(stop, 0) === 0) idle.step();
  return { written, sent };
}

for (const role of ["all", "in"] as const) {
  libcTest(
    `the warm-up of worker '${role}' carries all that it is fed out and in again`,
    (libc) => {
      const fed = (FIRST_ROUNDS + 30) * PACKETS;
      const { written, sent } = countWarmUp(libc, setupFor(role, 30));
      assert.equal(sent, fed);
      assert.equal(written, 2 * fed);
    },
  );
}

libcTest("the warm-up of worker 'out' sends all that it is fed", (libc) => {
  const fed = (FIRST_ROUNDS + 30) * PACKETS;
  const { written, sent } = countWarmUp(libc, setupFor("out", 30));
  assert.equal(sent, fed);
  assert.equal(written, fed);
});

libcTest("a worker that is told to stop ends its warm-up", (libc) => {
  const setup = setupFor("all", 1000);
  const stop = new Int32Array(setup.stop);
  const { sent } = countWarmUp(libc, setup, (written) => {
    if (written === 1) Atomics.store(stop, 0, 1);
  });
  assert.equal(sent, PACKETS, "the round that it was in");
  assert.deepEqual(countWarmUp(libc, setup), { written: 0, sent: 0 });
});
