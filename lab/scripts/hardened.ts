/**
 * Rules out what `ffi/process/hardening.ts` and `ffi/process/descriptors.ts`
 * can, and says what is left, as JSON. A process of its own: there is no way
 * back.
 */
import {
  closeInherited,
  takeRuntimeFiles,
} from "../../ffi/process/descriptors.ts";
import { SystemError } from "../../ffi/errno.ts";
import {
  confine,
  forbidPrivileges,
  hideMemory,
  limitBoundingSet,
} from "../../ffi/process/hardening.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { spawn } from "../../ffi/process/spawn.ts";
import { say } from "./say.ts";

const PR_GET_DUMPABLE = 3;
const PR_CAPBSET_READ = 23;

const libc = openProcessLibc();
const { prctlNumber } = libc.process;
const ask = (option: number, value = 0) => prctlNumber(option, value, 0, 0, 0);

function start(): string {
  try {
    const program = { path: "/bin/true", argv: ["true"], env: [] };
    spawn(libc, { ...program, newSession: false, descriptors: [] });
    return "started";
  } catch (error) {
    if (error instanceof SystemError) return error.code;
    throw error;
  }
}

// A thread of the runtime's, and one of ours, from before.
const sleeper = libc.symbols.pollInBackground(null, 0, 100);
const text = "onmessage = () => Deno.readTextFileSync('/proc/self/status')";
const worker = new Worker(`data:text/javascript,${text};postMessage(0)`, {
  type: "module",
});
await new Promise((resolve) => worker.onmessage = resolve);

const before = start();
const isRoot = Deno.uid() === 0;
closeInherited(libc);
takeRuntimeFiles(libc);
limitBoundingSet(libc);
hideMemory(libc);
// Such questions are not among what is left.
const dumpable = ask(PR_GET_DUMPABLE);
const bounded = !isRoot || ask(PR_CAPBSET_READ) === 0;
const needs = { appended: [], written: [], removedFrom: [] };
const refusal = forbidPrivileges(libc) ??
  confine(libc, needs);

/** Files below a folder of /proc/self, by name. */
function* below<T>(folder: string, read: (path: string) => T) {
  for (const { name } of Deno.readDirSync(`/proc/self/${folder}`)) {
    // The folder itself is open while it is read.
    try {
      yield [name, read(`/proc/self/${folder}/${name}`)] as const;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

const threads = Array.from(
  below("task", (path) => Deno.readTextFileSync(`${path}/status`)),
  ([, status]) =>
    ["NoNewPrivs", "Seccomp"].map((field) =>
      Number(new RegExp(`^${field}:\\s*(\\d+)$`, "m").exec(status)?.[1])
    ).join(),
);
const files = [...below("fd", Deno.readLinkSync)]
  .filter(([fd]) => Number(fd) > 2);
const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
say(JSON.stringify({
  before,
  after: start(),
  refusal,
  threads: [...new Set(threads)],
  dumpable,
  bounded,
  inherited: files.map(([, path]) => path)
    .filter((path) => ["/dev/zero", "/dev/full"].includes(path)),
  replaced: files.filter(([, path]) => path.startsWith("/memfd:"))
    .map(([fd]) => isWritable(fd)),
  writable: [
    ...files.filter(([fd, path]) =>
      /^\/(?!dev\/|memfd:)/.test(path) && isWritable(fd)
    ).map(([, path]) => path),
    ...maps.filter((line) => / ..[-x]s /.test(line)),
  ],
}));
await sleeper;
Deno.exit(0);

function isWritable(fd: string): boolean {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
  return (parseInt(flags ?? "", 8) & 3) !== 0;
}
