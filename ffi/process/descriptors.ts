// Descriptors that this process has besides its own: those left open by its
// caller, and files of the runtime.

import { readFile } from "./file.ts";
import { emptyPages } from "./empty_pages.ts";
import { F, FD_CLOEXEC, O } from "../flags.ts";
import { namesIn } from "./names.ts";
import { memoryFile } from "./handover.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";
import { statDescriptor } from "./stat.ts";

// include/uapi/linux/stat.h
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

const FOLDER = "/proc/self/fd";
const MAPS_LIMIT = 16 << 20;
const PATH_MAX = 4096;
const STREAMS = 3;

/**
 * Closes what the caller has left open, except for the standard streams. This
 * program and its runtime open nothing that would outlive an exec.
 */
export function closeInherited(libc: ProcessLibc): void {
  for (const fd of openDescriptors(libc)) {
    const flags = libc.process.fcntl(fd, F.GETFD, 0);
    if (flags >= 0 && (flags & FD_CLOEXEC) === 0) libc.symbols.close(fd);
  }
}

export function closeOnExec(libc: ProcessLibc, fd: number): void {
  libc.process.fcntl(fd, F.SETFD, FD_CLOEXEC);
}

/**
 * Takes away the files that the runtime has open for reading and writing, its
 * caches of compiled code: empty files without a name replace them, and what is
 * mapped becomes empty. This program opens no file for both.
 * They are replaced and not closed: the runtime locks what it writes to, and
 * where that fails its main thread waits for seconds, with nothing listening
 * meanwhile.
 */
export function takeRuntimeFiles(libc: ProcessLibc): void {
  const files = new Map(
    openDescriptors(libc)
      .filter((fd) => isFileForBoth(libc, fd))
      .map((fd) => [fd, pathOf(libc, fd)]),
  );
  if (files.size === 0) return;
  const mappings = sharedMappings(libc);
  for (const path of files.values()) {
    for (const mapping of mappings) {
      if (mapping.path === path) empty(libc, mapping);
    }
  }
  for (const [fd, path] of files) replaceByNothing(libc, fd, path);
}

function replaceByNothing(libc: ProcessLibc, fd: number, path: string): void {
  const nothing = memoryFile(libc, new Uint8Array(0));
  try {
    if (libc.process.dup3(nothing, fd, O.CLOEXEC) < 0) {
      throw libc.error(`replace '${path}'`, "dup3");
    }
  } finally {
    libc.symbols.close(nothing);
  }
}

function openDescriptors(libc: ProcessLibc): number[] {
  const folder = libc.symbols.open(cString(FOLDER), O.RDONLY | O.CLOEXEC, 0);
  if (folder < 0) throw libc.error(`open '${FOLDER}'`, "open");
  try {
    return namesIn(libc, folder, FOLDER).map(Number)
      .filter((fd) => fd >= STREAMS && fd !== folder);
  } finally {
    libc.symbols.close(folder);
  }
}

function isFileForBoth(libc: ProcessLibc, fd: number): boolean {
  const flags = libc.process.fcntl(fd, F.GETFL, 0);
  if (flags < 0 || (flags & O.ACCMODE) !== O.RDWR) return false;
  return (statDescriptor(libc, fd, `${fd}`).mode & S_IFMT) === S_IFREG;
}

function pathOf(libc: ProcessLibc, fd: number): string {
  const buffer = new Uint8Array(PATH_MAX);
  const link = cString(`${FOLDER}/${fd}`);
  const size = libc.process.readlink(link, buffer, buffer.length);
  if (size < 0) throw libc.error(`follow '${FOLDER}/${fd}'`, "readlink");
  return new TextDecoder().decode(buffer.subarray(0, size));
}

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly path: string;
}

function sharedMappings(libc: ProcessLibc): Mapping[] {
  const maps = readFile(libc, "/proc/self/maps", MAPS_LIMIT);
  // proc_pid_maps(5): start-end rwxs offset device inode path
  const lines = new TextDecoder().decode(maps).matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) .{3}s [0-9a-f]+ \S+ \d+ +(.+)$/gm,
  );
  return Array.from(lines, ([, start, end, path = ""]) => ({
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    path,
  }));
}

/**
 * Puts empty memory in its place. A private mapping would not do: its pages are
 * gone once another process cuts the file, and SIGBUS kills who touches them.
 * Nor would a copy: an index of what the file had sends the runtime to places of
 * one that has nothing, where it may take zeros for cached code.
 */
function empty(libc: ProcessLibc, { start, end, path }: Mapping): void {
  emptyPages(libc, start, end - start, path);
}
