/**
 * Says as JSON in which folders a process can make files before and after it has
 * confined itself to the first one, in a jail that has no way there. The folders
 * are open, as those of a daemon's state are.
 */
import { errnoName } from "../../ffi/errno.ts";
import { O } from "../../ffi/flags.ts";
import { cString } from "../../ffi/libc.ts";
import { forbidPrivileges } from "../../ffi/process/hardening.ts";
import { changeRoot } from "../../ffi/process/identity.ts";
import { confineFiles } from "../../ffi/process/landlock.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { say } from "./say.ts";

const [state = "", jail = ""] = Deno.args;
const libc = openProcessLibc();

function opened(path: string): number {
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  return libc.symbols.open(cString(path), flags, 0);
}

function made(folder: number, name: string): string {
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC;
  const fd = libc.process.openat(folder, cString(name), flags, 0o600);
  return fd < 0 ? errnoName(libc.errno()) : "done";
}

const folders = { state: opened(state), jail: opened(jail) };
const tried = (name: string) => ({
  state: made(folders.state, name),
  jail: made(folders.jail, name),
});
const before = tried("before");
changeRoot(libc, jail);
const needs = { appended: [], written: [folders.state], removedFrom: [] };
// For this thread, which all kernels with Landlock can do.
const refusal = forbidPrivileges(libc) ?? confineFiles(libc, needs, 0);
say(JSON.stringify({ refusal, before, inside: tried("inside") }));
Deno.exit(0);
