import assert from "node:assert/strict";
import { type Libc, openLibc } from "../../../ffi/libc.ts";
import { choosePlane } from "../../../src/tunnel/choose_plane.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../../src/tunnel/counters.ts";
import type { RunningPlane } from "../../../src/tunnel/plane.ts";
import { duplicate, PairDevice } from "../../fakes/native_rig_device.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";

/** A C library whose /dev/net/tun is one end of a pair of sockets. */
function withDevice(libc: Libc, device: PairDevice): Libc {
  return {
    ...libc,
    symbols: {
      ...libc.symbols,
      open: () => duplicate(device.fd),
      ioctl: () => 0,
      ioctlNumber: () => 0,
    },
  };
}

async function run(
  engine: "builtin" | "webcrypto",
  body: (plane: RunningPlane) => Promise<void>,
  stop?: AbortSignal,
): Promise<void> {
  const libc = openLibc();
  const device = new PairDevice(libc);
  {
    using builder = await choosePlane(
      tunnelSettings({ engine }),
      withDevice(libc, device),
      { now: () => performance.now(), processors: 1 },
      recordingLog(),
    );
    builder.openDevice(undefined);
    builder.bindToAll("4", 0);
    const plane = await builder.start({
      table: new ConnectionTable(ConnectionTable.allocate()),
      routes: undefined,
      accepted: undefined,
      moved() {},
    }, stop);
    await body(plane);
  }
  device.close();
  libc.close();
}

for (const engine of ["builtin", "webcrypto"] as const) {
  const kind = engine === "builtin" ? "native" : "portable";
  Deno.test(`${kind}: whoever stops a plane can wait for its end`, () =>
    run(engine, async (plane) => {
      assert.equal(plane.counters().length, PLANE_COUNTERS);
      await plane.stop();
      await plane.finished;
      await plane.stop();
    }));
}

Deno.test("native: each thread tells how often it has gone round", () =>
  run("builtin", async (plane) => {
    const before = plane.rounds();
    assert.ok(before.length > 0);
    const isBehind = () =>
      plane.rounds().some((count, k) => count === before[k]);
    while (isBehind()) {
      plane.dropRetired(); // Wakes those that rest.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await plane.stop();
  }));

Deno.test("native: a plane that is told to stop while it starts, ends", () =>
  run("builtin", (plane) => plane.finished, AbortSignal.abort()));
