import assert from "node:assert/strict";
import { CAP } from "../../ffi/flags.ts";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import { OUR_PROGRAMS } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const TUNNEL = ["-d", "tun7", "-E", "x", "-n", "10.99.0.1/24", "-p", "444"];

/** Those of a tunnel that writes a log and listens at a low port. */
const FILES = ["DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER"] as const;
const ROOTS = ["NET_ADMIN", "NET_BIND_SERVICE", ...FILES] as const;

function setOf(names: readonly (keyof typeof CAP)[]): string {
  const mask = names.reduce((sum, name) => sum + 2 ** CAP[name], 0);
  return mask.toString(16).padStart(16, "0");
}

/** What all threads of a process have. */
function threads(view: ProcView): readonly string[] {
  const fields = ["CapPrm", "CapEff", "CapBnd", "NoNewPrivs"];
  const all = view.threads(...fields);
  assert.ok(all.size > 4, "there are threads of the runtime");
  return [...new Set(all.values())];
}

async function pingFrom(right: LabHost, left: LabHost): Promise<void> {
  const peer = startDaemon(right, [
    ...["-D", "-L", "stdout:3", "-d", "tun7", "-E", "x", "-e", "right"],
    ...["-n", "10.99.0.2/24", "-r", left.ipv4, "-o", "444"],
  ]);
  await peer.line(/tunnel is set up/, 30);
  await right.ping("10.99.0.1");
}

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing } = program;

  labTest(
    `in the background all threads of root's anytun ${name} have what its options take, and it works`,
    `d-lr${letter}`,
    [missing],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const [log, pid] = [folder.file("log"), folder.file("pid")];
      const [state, socket] = [folder.file("state"), folder.file("sock")];
      const started = await runDaemon(left, [
        ...[...TUNNEL, "-w", "64", "--state-dir", state, "-P", pid],
        ...["-S", `unix:${socket}`, "-L", `file:4,${log}`],
      ], { program });
      assert.deepEqual(started, { code: 0, text: "" });
      const view = ProcView.fromPidFile(pid);
      try {
        const roots = setOf(ROOTS);
        assert.deepEqual(threads(view), [`${roots},${roots},${roots},1`]);
        await pingFrom(right, left);
        Deno.renameSync(log, `${log}.1`);
        view.kill("SIGHUP");
        await until("the log is opened again", 10, () => {
          return [...Deno.readDirSync(folder.path)].some(({ name }) =>
            name === "log"
          );
        });
        view.kill("SIGUSR2");
        await lineIn(log, /NOTICE: dropped: /);
      } finally {
        view.kill("SIGTERM");
        await view.ended();
      }
      const text = Deno.readTextFileSync(log);
      assert.doesNotMatch(text, /EPERM|EACCES|not permitted/);
      if (whyNoKernelLog() === null) {
        assert.deepEqual(deniedCalls(view.pid), []);
      }
      const rest = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
      assert.deepEqual(rest.toSorted(), ["log", "log.1", "state"]);
    },
  );

  labTest(
    `in the background anytun ${name} becomes a user in a jail, and its state that user's`,
    `d-lu${letter}`,
    [missing],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const [log, pid] = [folder.file("log"), folder.file("pid")];
      const [state, jail] = [folder.file("state"), folder.file("jail")];
      Deno.mkdirSync(jail);
      // The second time the folder belongs to the user.
      for (const time of [1, 2]) {
        const started = await runDaemon(left, [
          ...[...TUNNEL, "--state-dir", state, "-P", pid],
          ...["-L", `file:4,${log}`, "-u", "nobody", "-C", jail],
        ], { program });
        assert.deepEqual(started, { code: 0, text: "" }, `start ${time}`);
        const view = ProcView.fromPidFile(pid);
        try {
          const none = setOf([]);
          const bounds = setOf([
            ...[...ROOTS, "CHOWN", "SETUID", "SETGID", "SYS_CHROOT"] as const,
          ]);
          assert.deepEqual(threads(view), [`${none},${none},${bounds},1`]);
          if (time === 1) await pingFrom(right, left);
        } finally {
          view.kill("SIGTERM");
          await view.ended();
        }
      }
      assert.equal(Deno.statSync(state).uid, 65534);
      const text = Deno.readTextFileSync(log);
      assert.doesNotMatch(text, /EPERM|EACCES|not permitted/);
    },
  );
}
