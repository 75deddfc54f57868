/**
 * A C library some of whose calls fail, or succeed, as a test wants it.
 */

import { SystemError } from "../../ffi/errno.ts";
import type { Libc, LibcSymbols } from "../../ffi/libc.ts";

/**
 * @param libc The real library, for all other calls.
 * @param symbols The calls to replace.
 * @param errno The error number that is reported after a failing call.
 */
export function fakeLibc(
  libc: Libc,
  symbols: Partial<LibcSymbols>,
  errno: number,
): Libc {
  return {
    symbols: { ...libc.symbols, ...symbols },
    errno: () => errno,
    error: (what, syscall) => new SystemError(what, syscall, errno),
    refused: new Map(),
    close: () => libc.close(),
  };
}
