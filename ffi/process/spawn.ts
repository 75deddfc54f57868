// Child processes without a shell, and without the permission that
// `Deno.Command` would ask for.

import { SystemError } from "../errno.ts";
import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import { Arena } from "../memory.ts";
import type { ProcessLibc } from "./libc.ts";

// <spawn.h>, the same in glibc and musl
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

/** More than posix_spawnattr_t (336) and posix_spawn_file_actions_t (80). */
const STRUCT_SIZE = 512;
const SIGSET_SIZE = 128;
const POINTER_SIZE = 8;
const FIRST_DESCRIPTOR = 3;

export interface SpawnOptions {
  /** Not searched in PATH. */
  readonly path: string;
  /** With the name that it is called by. */
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly newSession: boolean;
  /** Become 3, 4 and so on; these must not be among them. */
  readonly descriptors: readonly number[];
  /** Becomes standard output and standard error. */
  readonly output?: number;
}

/**
 * With /dev/null as standard streams but for those that are given, default
 * signals, and no descriptor that it was not given.
 * @returns The process id.
 */
export function spawn(libc: ProcessLibc, options: SpawnOptions): number {
  const { posix_spawn } = libc.process;
  const arena = new Arena(sizeOf(options.argv) + sizeOf(options.env));
  const argv = writeStrings(arena, options.argv);
  const env = writeStrings(arena, options.env);
  using cleanup = new DisposableStack();
  const actions = fileActions(libc, options, cleanup);
  const attributes = spawnAttributes(libc, options.newSession, cleanup);
  const pid = new Int32Array(1);
  const path = cString(options.path);
  const error = posix_spawn(pid, path, actions, attributes, argv, env);
  if (error !== 0) {
    throw new SystemError(`start '${options.path}'`, "posix_spawn", error);
  }
  // The kernel knows these by address only: they must live until now.
  arena.check(0, 0);
  return pid[0] ?? -1;
}

function fileActions(
  libc: ProcessLibc,
  { descriptors, output }: SpawnOptions,
  cleanup: DisposableStack,
): Uint8Array<ArrayBuffer> {
  const actions = new Uint8Array(STRUCT_SIZE);
  const { process } = libc;
  check(process.posix_spawn_file_actions_init(actions));
  cleanup.defer(() => process.posix_spawn_file_actions_destroy(actions));
  // First, while its number is its own, which may be that of a stream.
  for (const stream of output === undefined ? [] : [1, 2]) {
    check(
      process.posix_spawn_file_actions_adddup2(actions, output ?? -1, stream),
    );
  }
  const none = cString("/dev/null");
  for (const stream of output === undefined ? [0, 1, 2] : [0]) {
    check(
      process.posix_spawn_file_actions_addopen(
        actions,
        stream,
        none,
        O.RDWR,
        0,
      ),
    );
  }
  descriptors.forEach((fd, index) => {
    const target = FIRST_DESCRIPTOR + index;
    check(process.posix_spawn_file_actions_adddup2(actions, fd, target));
  });
  process.posix_spawn_file_actions_addclosefrom_np?.(
    actions,
    FIRST_DESCRIPTOR + descriptors.length,
  );
  return actions;
}

function spawnAttributes(
  libc: ProcessLibc,
  newSession: boolean,
  cleanup: DisposableStack,
): Uint8Array<ArrayBuffer> {
  const { process } = libc;
  const attributes = new Uint8Array(STRUCT_SIZE);
  check(process.posix_spawnattr_init(attributes));
  cleanup.defer(() => process.posix_spawnattr_destroy(attributes));
  // The runtime ignores SIGPIPE, which a child would inherit.
  const all = new Uint8Array(SIGSET_SIZE);
  process.sigfillset(all);
  check(process.posix_spawnattr_setsigdefault(attributes, all));
  const none = new Uint8Array(SIGSET_SIZE);
  check(process.posix_spawnattr_setsigmask(attributes, none));
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
    (newSession ? POSIX_SPAWN_SETSID : 0);
  check(process.posix_spawnattr_setflags(attributes, flags));
  return attributes;
}

function check(error: number): void {
  if (error !== 0) {
    throw new SystemError("prepare a process", "posix_spawn", error);
  }
}

function sizeOf(texts: readonly string[]): number {
  return texts.reduce(
    (size, text) => size + cString(text).length + POINTER_SIZE,
    2 * POINTER_SIZE,
  );
}

function writeStrings(
  arena: Arena,
  texts: readonly string[],
): Deno.PointerObject {
  const array = arena.take((texts.length + 1) * POINTER_SIZE);
  texts.forEach((text, index) => {
    const bytes = cString(text);
    const at = arena.take(bytes.length, 1);
    arena.bytes.set(bytes, at);
    arena.storeAddress(array + index * POINTER_SIZE, at);
  });
  return arena.pointer(array);
}

// include/uapi/asm-generic/signal.h
const SIGKILL = 9;
const SIGTERM = 15;

/**
 * One that has ended already is left alone, as long as nobody has asked how.
 * @param isForced Whether the child is not asked.
 */
export function endChild(
  libc: ProcessLibc,
  pid: number,
  isForced: boolean,
): void {
  libc.process.kill(pid, isForced ? SIGKILL : SIGTERM);
}

type Ending =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: number };

/** @throws {Error} When the child's status is not available. */
export async function waitForEnd(
  libc: ProcessLibc,
  pid: number,
): Promise<Ending> {
  const arena = new Arena(4);
  const at = arena.take(4);
  const { waitpidInBackground } = libc.process;
  const ended = await waitpidInBackground(pid, arena.pointer(at), 0);
  if (ended !== pid) {
    throw new Error(`Cannot find out how process ${pid} ended`);
  }
  // <bits/waitstatus.h>
  const status = arena.view.getInt32(at, true);
  const signal = status & 0x7f;
  return signal === 0
    ? { kind: "exit", status: (status >> 8) & 0xff }
    : { kind: "signal", signal };
}
