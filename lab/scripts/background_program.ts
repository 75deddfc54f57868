/**
 * A daemon that goes to the background and whose start waits for a key that
 * nobody brings. Its argument is the start timeout in seconds.
 */
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { startDaemon } from "../../src/cli/start_daemon.ts";
import { runProgram } from "../../src/daemon/run_program.ts";
import { aborted } from "../../src/daemon/stop.ts";

const options = {
  ...{ foreground: false, startTimeout: Number(Deno.args[0]) },
  ...{ username: undefined, groupname: undefined, chroot: undefined },
  ...{ pidFile: undefined, logTargets: [], logFormat: "text" as const },
};

const status = await startDaemon({
  name: "test-daemon",
  read: () => ({ kind: "run", options, warnings: [] }),
  run: (options, warnings, world) =>
    runProgram({
      name: "test-daemon",
      options,
      warnings,
      services: () => [{
        name: "lock",
        async start({ stop, waiting }) {
          waiting("a key");
          world.parent.say(`pid ${world.pid}`);
          await aborted(stop);
        },
      }],
    }, world),
}, openProcessLibc());
Deno.exit(status);
