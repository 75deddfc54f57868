/**
 * Enters the sandbox of a daemon, and says as JSON what two threads could do
 * before and can do inside. A process of its own: there is no way back.
 */
import { SystemError } from "../../ffi/errno.ts";
import { confine, forbidPrivileges } from "../../ffi/process/hardening.ts";
import { openAppend } from "../../ffi/process/append_file.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { spawn } from "../../ffi/process/spawn.ts";
import { attempts } from "./attempts.ts";
import { say } from "./say.ts";

const GETPID_X32 = 0x40000000 + 39;

const libc = openProcessLibc();
const worker = new Worker(new URL("./attempts_worker.ts", import.meta.url), {
  type: "module",
});

function inWorker(): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(0);
  });
}

function start(): string {
  try {
    const program = { path: "/bin/true", argv: ["true"], env: [] };
    spawn(libc, { ...program, newSession: false, descriptors: [] });
    return "done";
  } catch (error) {
    if (error instanceof SystemError) return error.code;
    throw error;
  }
}

/** Calls that failed with EPERM, as this process knows it of itself. */
function refused(): Record<string, number> {
  try {
    openAppend(libc, "/dev/null");
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
  return Object.fromEntries(libc.refused);
}

const x32 = () =>
  libc.process.syscall(GETPID_X32, 0, 0, null) === Deno.pid ? "done" : "denied";

const before = {
  main: attempts(),
  worker: await inWorker(),
  spawn: start(),
};
const library = Deno.dlopen("libc.so.6", {
  unshare: { parameters: ["i32"], result: "i32", nonblocking: true },
});
const inPool = async () => ({
  ffi: await library.symbols.unshare(0) === 0 ? "done" : "denied",
  file: await Deno.open("/dev/null", { write: true })
    .then((file) => (file.close(), "done"), ({ code }) => code),
});
const poolBefore = await inPool();
const needs = { appended: [], written: [], removedFrom: [] };
const refusal = forbidPrivileges(libc) ?? confine(libc, needs);
const inside = {
  main: attempts(),
  worker: await inWorker(),
  spawn: start(),
};
const pool = { before: poolBefore, inside: await inPool() };

// What the runtime and its pool of threads do all the time.
const file = new URL("./say.ts", import.meta.url);
const texts = await Promise.all(
  Array.from({ length: 40 }, () => Deno.readTextFile(file)),
);
const [answer] = await Promise.all([
  (async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const [one, other] = await Promise.all([
      listener.accept(),
      Deno.connect({ hostname: "localhost", port }),
    ]);
    await one.write(Uint8Array.of(7));
    const bytes = new Uint8Array(1);
    await other.read(bytes);
    one.close(), other.close(), listener.close();
    return bytes[0];
  })(),
  libc.symbols.pollInBackground(null, 0, 10),
]);
say(JSON.stringify({
  ...{ before, refusal, inside, pool },
  refused: refused(),
  x32: x32(),
  works: texts.length === 40 && answer === 7,
}));
Deno.exit(0);
