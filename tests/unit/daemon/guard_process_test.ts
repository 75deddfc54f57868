import assert from "node:assert/strict";
import { MSG } from "../../../ffi/flags.ts";
import { SocketPair } from "../../../ffi/net/socket_pair.ts";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { spawn, waitForEnd } from "../../../ffi/process/spawn.ts";
import { fromSource } from "../../../lab/programs.ts";
import { until } from "../../../lab/until.ts";
import {
  END,
  GUARD_VARIABLE,
  type GuardSetup,
  READY,
} from "../../../src/daemon/guard_setup.ts";

/** One that has nothing to take away, and needs no rights for that. */
const SETUP: GuardSetup = {
  ...{ device: null, addresses: [], identity: null },
  ...{ patience: 700, mainPatience: 5000 },
  ...{ hasScript: false, isConfined: false },
};

function startGuard(libc: ProcessLibc, fd: number): number {
  const variables = {
    ...Deno.env.toObject(),
    [GUARD_VARIABLE]: JSON.stringify(SETUP),
  };
  const [path = "", ...args] = fromSource.command;
  return spawn(libc, {
    ...{ path, argv: [path, ...args], newSession: true, descriptors: [fd] },
    env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  });
}

Deno.test("a guard outlives each signal that a daemon heeds, as a service manager sends it to all of a unit", async () => {
  const libc = openProcessLibc();
  {
    using pair = new SocketPair(libc);
    const pid = startGuard(libc, pair.far);
    const heard = new Uint8Array(64);
    let size = -1;
    await until("it is ready", 60, () => {
      size = libc.symbols.recv(pair.near, heard, heard.length, MSG.DONTWAIT);
      return size >= 0;
    });
    assert.equal(new TextDecoder().decode(heard.subarray(0, size)), READY);
    for (
      const signal of [
        ...["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"],
        ...["SIGABRT", "SIGUSR1", "SIGUSR2"],
      ] as const
    ) Deno.kill(pid, signal);
    const end = new TextEncoder().encode(END);
    libc.symbols.send(pair.near, end, end.length, MSG.NOSIGNAL);
    assert.deepEqual(await waitForEnd(libc, pid), { kind: "exit", status: 0 });
  }
  libc.close();
});
