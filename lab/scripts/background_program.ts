/**
 * A daemon that goes to the background and whose start waits for a key that
 * nobody brings. Its arguments are the start timeout in seconds, and a file for
 * the id of that daemon.
 */
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { firstReading } from "../first_reading.ts";
import { startDaemon } from "../../src/cli/start_daemon.ts";
import { runProgram } from "../../src/daemon/run_program.ts";
import { aborted } from "../../src/daemon/stop.ts";

const [seconds, pidFile = ""] = Deno.args;
const options = {
  ...{ foreground: false, startTimeout: Number(seconds) },
  ...{ username: undefined, groupname: undefined, chroot: undefined },
  ...{ noSandbox: false, pidFile: undefined },
  ...{ logTargets: [], logFormat: "text" as const },
};

const status = await startDaemon(
  {
    name: "test-daemon",
    limits: () => undefined,
    read: () => ({ kind: "run", ...firstReading(options) }),
    run: (configured, world) =>
      runProgram({
        name: "test-daemon",
        configured,
        services: () => [{
          name: "lock",
          async start({ stop, waiting }) {
            waiting("a key");
            world.parent.say("no key yet");
            Deno.writeTextFileSync(pidFile, String(world.pid));
            await aborted(stop);
          },
        }],
      }, world),
  },
  [],
  openProcessLibc(),
);
Deno.exit(status);
