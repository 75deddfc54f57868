import assert from "node:assert/strict";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { UnixListener } from "../../lab/unix_listener.ts";

labTest(
  "a service manager hears of start, life and end",
  "d-nt",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const socket = folder.file("notify");
    await using manager = new UnixListener(socket);
    Deno.chmodSync(socket, 0o777);
    const jail = folder.file("jail");
    Deno.mkdirSync(jail);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-u", "nobody", "-C", jail],
    ], { env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "100000" } });
    assert.match(await manager.receive(), /^STATUS=/);
    const ready = await manager.find(/^READY=1$/m);
    assert.match(ready, new RegExp(`^MAINPID=${daemon.pid}$`, "m"));
    // Only what works is ready: the first thing it says is not.
    await daemon.line(/dropped privileges/);
    await manager.find(/^WATCHDOG=1$/);
    await manager.find(/^WATCHDOG=1$/);
    Deno.kill(daemon.pid, "SIGHUP");
    const reloading = await manager.find(/^RELOADING=1$/m);
    assert.match(reloading, /^MONOTONIC_USEC=[1-9]\d+$/m);
    await manager.find(/^READY=1$/m);
    const ended = daemon.stop();
    await manager.find(/^STOPPING=1$/m);
    assert.equal((await ended).code, 0);
  },
);
