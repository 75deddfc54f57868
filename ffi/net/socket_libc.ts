// Functions of the C library for streams that are listened for, and for files of
// unix sockets. Opened only by programs that use them, before they are confined.

import { openCLibrary } from "../libc.ts";
import type { ProcessLibc } from "../process/libc.ts";

const SYMBOLS = {
  listen: {
    parameters: [
      "i32", // int sockfd
      "i32", // int backlog
    ],
    result: "i32",
  },
  accept4: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr
      "buffer", // socklen_t *addrlen
      "i32", // int flags
    ],
    result: "i32",
  },
  shutdown: {
    parameters: [
      "i32", // int sockfd
      "i32", // int how
    ],
    result: "i32",
  },
  fchmod: {
    parameters: [
      "i32", // int fd
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  fchownat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "u32", // uid_t owner
      "u32", // gid_t group
      "i32", // int flags
    ],
    result: "i32",
  },
  rename: {
    parameters: [
      "buffer", // const char *oldpath
      "buffer", // const char *newpath
    ],
    result: "i32",
  },
  unlink: {
    parameters: ["buffer" /* const char *pathname */],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type SocketSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

export interface SocketLibc extends ProcessLibc {
  readonly socket: SocketSymbols;
}

/** Closing it leaves the other functions open. */
export function openSocketLibc(libc: ProcessLibc): SocketLibc {
  const library = openCLibrary(SYMBOLS);
  return { ...libc, socket: library.symbols, close: () => library.close() };
}
