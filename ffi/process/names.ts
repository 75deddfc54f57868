// Names in a folder.

import { O } from "../flags.ts";
import { cString } from "../libc.ts";
import type { ProcessLibc } from "./libc.ts";

// struct linux_dirent64 { u64 ino; i64 off; u16 reclen; u8 type; char name[]; }
const RECLEN_AT = 16;
const NAME_AT = 19;

const BUFFER_SIZE = 32768;

/** @throws {SystemError} When the folder cannot be read. */
export function folderNames(libc: ProcessLibc, path: string): string[] {
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const fd = libc.symbols.open(cString(path), flags, 0);
  if (fd < 0) throw libc.error(`read '${path}'`, "open");
  try {
    return namesIn(libc, fd, path);
  } finally {
    libc.symbols.close(fd);
  }
}

/** @param path For messages */
export function namesIn(
  libc: ProcessLibc,
  folder: number,
  path: string,
): string[] {
  const names: string[] = [];
  const buffer = new Uint8Array(BUFFER_SIZE);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const size = libc.process.getdents64(folder, buffer, buffer.length);
    if (size < 0) throw libc.error(`read '${path}'`, "getdents64");
    if (size === 0) return names;
    for (let at = 0; at < size; at += view.getUint16(at + RECLEN_AT, true)) {
      const bytes = buffer.subarray(
        at + NAME_AT,
        buffer.indexOf(0, at + NAME_AT),
      );
      const name = new TextDecoder().decode(bytes);
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}
