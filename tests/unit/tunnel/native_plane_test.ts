import assert from "node:assert/strict";
import { type Libc, type LibcSymbols, openLibc } from "../../../ffi/libc.ts";
import { createSatpCodec } from "../../../mod.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
} from "../../../src/tunnel/counters.ts";
import { DeviceTurn } from "../../../src/tunnel/native/device_turn.ts";
import type {
  NativeSetup,
  WorkerMessage,
} from "../../../src/tunnel/native/messages.ts";
import {
  type NativeOptions,
  NativePlane,
} from "../../../src/tunnel/native/plane.ts";
import { NativeRig, type NativeRigOptions } from "../../fakes/native_rig.ts";
import { PairDevice } from "../../fakes/native_rig_device.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const VECTOR = usualVector("native plane tests");
const PACKET = new Uint8Array(40).fill(0x45);

/** A C library that counts eventfds. */
class EventFds {
  readonly libc: Libc;
  readonly open = new Set<number>();
  opened = 0;
  signals = 0;

  constructor(libc: Libc) {
    const { eventfd, close, write } = libc.symbols;
    const symbols: LibcSymbols = {
      ...libc.symbols,
      eventfd: (initial, flags) => {
        const fd = eventfd(initial, flags);
        this.open.add(fd);
        this.opened++;
        return fd;
      },
      close: (fd) => {
        this.open.delete(fd);
        return close(fd);
      },
      write: (fd, bytes, size) => {
        assert.ok(this.open.has(fd), "an eventfd is signalled that is closed");
        this.signals++;
        return write(fd, bytes, size);
      },
    };
    this.libc = { ...libc, symbols };
  }
}

async function start(
  options: Partial<NativeRigOptions> = {},
): Promise<NativeRig> {
  return await NativeRig.start({
    engine: "builtin",
    workers: 2,
    params: paramsOf(VECTOR),
    secrets: await secretsOf(VECTOR),
    role: "left",
    remote: "home",
    ...options,
  });
}

async function sealed(seq: number): Promise<Uint8Array> {
  const { passphrase } = VECTOR;
  const codec = await createSatpCodec({ passphrase, role: "right" });
  return await codec.seal({ seq, payloadType: 0x0800, payload: PACKET });
}

/** Options that are good for nothing but being refused, or not looked at. */
function idleOptions(device: PairDevice): NativeOptions {
  return {
    settings: tunnelSettings(),
    engine: "builtin",
    connections: ConnectionTable.allocate(),
    routes: undefined,
    accepted: undefined,
    device: device.fd,
    sockets: {},
    receiveFrom: [],
    vnetHeader: false,
    gso: false,
    gro: false,
    locals: false,
    coalesce: { tcp: false, udp: false },
    warmUpRounds: 0,
  };
}

for (const workers of [1, 2] as const) {
  libcTest(
    `stop() wakes and ends ${workers} of ${workers} workers, and their eventfds are closed once`,
    async (libc) => {
      const eventFds = new EventFds(libc);
      {
        await using rig = await start({ workers, libc: eventFds.libc });
        assert.equal(eventFds.open.size, workers);
        rig.plane.stop();
        assert.equal(eventFds.signals, workers);
        await rig.finished;
        assert.equal(eventFds.open.size, 0);
        // Nothing is left to be signalled: see EventFds.
        rig.plane.stop();
        await rig.plane.finished();
      }
      assert.equal(eventFds.opened, workers);
      assert.equal(eventFds.signals, workers);
    },
  );

  libcTest(
    `${workers} of ${workers} workers that were never started can be stopped`,
    async (libc) => {
      const eventFds = new EventFds(libc);
      const plane = await NativePlane.load(eventFds.libc, workers);
      assert.equal(eventFds.open.size, workers);
      plane.stop();
      await plane.finished();
      assert.equal(eventFds.open.size, 0);
    },
  );
}

libcTest(
  "every worker is woken to wipe keys that are out of use, as long as it carries",
  async (libc) => {
    const eventFds = new EventFds(libc);
    await using rig = await start({ libc: eventFds.libc });
    rig.table.remove(0);
    rig.plane.dropRetired();
    assert.equal(eventFds.signals, 2);
    rig.plane.stop();
    await rig.finished;
    rig.plane.dropRetired();
    assert.equal(eventFds.signals, 4);
  },
);

Deno.test("when a peer was heard is told in the time of the main thread", async () => {
  await using rig = await start();
  await rig.receive([await sealed(0)], "home");
  const now = performance.timeOrigin + performance.now();
  const hour = 3_600_000;
  assert.ok(Math.abs(now - (rig.table.lastHeard(0) ?? 0)) < hour);
});

Deno.test("after a worker has died nothing is sent any more", async () => {
  await using rig = await start();
  assert.equal((await rig.send([PACKET])).length, 1);
  rig.breakReceiving();
  rig.poke([await sealed(0)], "home");
  await assert.rejects(rig.finished, {
    message: "a worker of the data plane died: " +
      "Cannot receive from a UDP socket: Socket operation on non-socket (recvmmsg(), ENOTSOCK)",
  });
  for (let k = 0; k < 10; k++) assert.ok(rig.device.handOver(PACKET));
  assert.equal(rig.collect().length, 1);
  assert.equal(rig.connectionCounter(ConnectionCounter.PACKETS_OUT), 1);
});

for (const workers of [1, 2] as const) {
  libcTest(
    `a device that breaks ends a plane of ${workers}, with a reason`,
    async (libc) => {
      const eventFds = new EventFds(libc);
      await using rig = await start({ workers, libc: eventFds.libc });
      await rig.receive([await sealed(0)], "home");
      rig.device.breakReading();
      await assert.rejects(rig.finished, {
        message: "a worker of the data plane died: " +
          "Cannot read from the device: Bad file descriptor (read(), EBADF)",
      });
      assert.equal(eventFds.open.size, 0);
      rig.poke([await sealed(1)], "home");
      assert.equal(rig.connectionCounter(ConnectionCounter.PACKETS_IN), 1);
    },
  );
}

libcTest(
  "a worker that dies tells the others itself, without the main thread",
  async (libc) => {
    const device = new PairDevice(libc);
    const eventFds = new EventFds(libc);
    const stop = new SharedArrayBuffer(4);
    const wakeup = eventFds.libc.symbols.eventfd(0, 0);
    const setup: NativeSetup = {
      ...idleOptions(device),
      role: "in",
      turn: DeviceTurn.allocate(),
      counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
      stop,
      wakeup,
      otherWakeup: wakeup,
    };
    const worker = new Worker(
      new URL("../../../src/tunnel/native/worker.ts", import.meta.url),
      { type: "module" },
    );
    const stopAtDeath = Promise.withResolvers<number>();
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "loaded") worker.postMessage(setup);
      if (data.kind === "ready") device.breakReading();
      if (data.kind === "failed") {
        stopAtDeath.resolve(Atomics.load(new Int32Array(stop), 0));
      }
    };
    assert.equal(await stopAtDeath.promise, 1);
    worker.terminate();
    device.close();
    eventFds.libc.symbols.close(setup.wakeup);
  },
);

libcTest(
  "start() rejects what no worker can use, and ends all of them",
  async (libc) => {
    const device = new PairDevice(libc);
    const eventFds = new EventFds(libc);
    const plane = await NativePlane.load(eventFds.libc, 2);
    const options: NativeOptions = {
      ...idleOptions(device),
      connections: new WebAssembly.Memory({
        ...{ initial: 1, maximum: 1, shared: true },
      }),
    };
    await assert.rejects(
      plane.start(options, { logger: recordingLog(), moved() {} }),
      /^Error: a worker of the data plane died: /,
    );
    assert.equal(eventFds.open.size, 0);
    await assert.rejects(plane.finished());
    device.close();
  },
);

// Permissions of a test are those of its workers, too, and of functions that
// were not used before.
const opened = openLibc();
const libc: Libc = { ...opened, symbols: { ...opened.symbols } };

Deno.test({
  name: "start() rejects when a worker may not have its engine",
  permissions: { ffi: false, read: true },
  async fn() {
    const eventFds = new EventFds(libc);
    const plane = await NativePlane.load(eventFds.libc, 2);
    const device = { fd: -1 } as PairDevice;
    await assert.rejects(
      plane.start(idleOptions(device), {
        logger: recordingLog(),
        moved() {},
      }),
      /a worker of the data plane died: Requires ffi access/,
    );
    assert.equal(eventFds.open.size, 0);
  },
});

Deno.test({
  name: "load() rejects when the workers may not be read, and opens nothing",
  permissions: { ffi: true, read: false },
  async fn() {
    const eventFds = new EventFds(libc);
    await assert.rejects(NativePlane.load(eventFds.libc, 2), {
      message: "the workers' module may not be read",
    });
    assert.equal(eventFds.opened, 0);
  },
});

/** A worker whose module cannot be loaded: it says so and does no more. */
class BrokenWorker extends EventTarget {
  onerror?: (event: { message: string; preventDefault(): void }) => void;
  static made = 0;
  static terminated = 0;

  constructor() {
    super();
    BrokenWorker.made++;
    queueMicrotask(() =>
      this.onerror?.({ message: "broken", preventDefault() {} })
    );
  }

  terminate(): void {
    BrokenWorker.terminated++;
  }
}

Deno.test("load() rejects when the workers do not load, and leaves nothing", async () => {
  const eventFds = new EventFds(libc);
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  assert.ok(descriptor);
  Object.defineProperty(globalThis, "Worker", {
    ...descriptor,
    value: BrokenWorker,
  });
  try {
    await assert.rejects(NativePlane.load(eventFds.libc, 2), {
      message: "a worker of the data plane died: broken",
    });
  } finally {
    Object.defineProperty(globalThis, "Worker", descriptor);
  }
  assert.equal(eventFds.opened, 2);
  assert.equal(eventFds.open.size, 0);
  assert.deepEqual([BrokenWorker.made, BrokenWorker.terminated], [2, 2]);
});

Deno.test("load() leaves nothing when no eventfd can be opened", async () => {
  const eventFds = new EventFds(libc);
  let left = 1;
  const { eventfd } = eventFds.libc.symbols;
  const symbols: LibcSymbols = {
    ...eventFds.libc.symbols,
    eventfd: (initial, flags) => left-- > 0 ? eventfd(initial, flags) : -1,
  };
  await assert.rejects(NativePlane.load({ ...eventFds.libc, symbols }, 2), {
    syscall: "eventfd",
  });
  assert.equal(eventFds.open.size, 0);
});
