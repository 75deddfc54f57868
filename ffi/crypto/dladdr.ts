// Names of functions given as pointers: Deno calls a function by its name many
// times faster than by a pointer.

import { openCLibrary } from "../libc.ts";
import { textAt } from "../library.ts";

const INFO_SIZE = 32;

// Dl_info: const char *dli_fname, void *dli_fbase, const char *dli_sname,
// void *dli_saddr.
const FILE_AT = 0;
const NAME_AT = 16;
const START_AT = 24;

export interface ExportedName {
  readonly file: string;
  readonly name: string;
}

/**
 * @returns undefined when no library exports a function that begins there.
 * @throws {Error} When the C library cannot be opened, or is glibc before 2.34.
 */
export function exportedName(
  pointer: Deno.PointerObject,
): ExportedName | undefined {
  const libc = openCLibrary({
    dladdr: {
      parameters: [
        "pointer", // const void *addr
        "buffer", // Dl_info *info
      ],
      result: "i32",
    },
  });
  try {
    const info = new Uint8Array(INFO_SIZE);
    if (libc.symbols.dladdr(pointer, info) === 0) return undefined;
    const view = new DataView(info.buffer);
    const address = view.getBigUint64(START_AT, true);
    if (address !== Deno.UnsafePointer.value(pointer)) return undefined;
    return { file: textBehind(view, FILE_AT), name: textBehind(view, NAME_AT) };
  } finally {
    libc.close();
  }
}

function textBehind(view: DataView, offset: number): string {
  const address = view.getBigUint64(offset, true);
  return textAt(Deno.UnsafePointer.create(address));
}
