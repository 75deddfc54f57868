// The C library, as a typed symbol table.
//
// Three habits keep the synchronous calls on V8's fast path (5 to 70 ns):
//
// - Lengths are declared `u32` and results `i32` where C says `size_t` and
//   `ssize_t`: 64 bit numbers leave the fast path. Both supported ABIs
//   (x86-64 System V, AAPCS64) keep a 32 bit argument in a register whose upper
//   half the write has cleared, and no call here moves 2 GiB.
// - Memory goes in as `buffer` where a call is rare and as a cached `pointer`
//   of an `Arena` where it is hot; some functions have both forms.
// - `nonblocking` calls cost a trip to a thread pool and exist for waiting only.
//
// `open`, `ioctl` and `fcntl` are variadic in C. The ABIs named above pass their
// integer arguments just as those of any other function.

import { Errno, SystemError } from "./errno.ts";
import { openFirst } from "./library.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },

  // Files
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  close: {
    parameters: ["i32" /* int fd */],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  pread: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "u32", // size_t count
      "u32", // off_t offset
    ],
    result: "i32",
  },
  readAt: {
    name: "read",
    parameters: [
      "i32", // int fd
      "pointer", // void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  writeAt: {
    name: "write",
    parameters: [
      "i32", // int fd
      "pointer", // const void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  writev: {
    parameters: [
      "i32", // int fd
      "pointer", // const struct iovec *iov
      "i32", // int iovcnt
    ],
    result: "i32",
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request
      "buffer", // void *argument
    ],
    result: "i32",
  },
  ioctlNumber: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request
      "u32", // unsigned long argument
    ],
    result: "i32",
  },

  // Waiting
  poll: {
    parameters: [
      "pointer", // struct pollfd *fds
      "u32", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
  },
  pollInBackground: {
    name: "poll",
    parameters: [
      "pointer", // struct pollfd *fds
      "u32", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
    nonblocking: true,
  },
  eventfd: {
    parameters: [
      "u32", // unsigned int initval
      "i32", // int flags
    ],
    result: "i32",
  },

  // Time
  clock_gettime: {
    parameters: [
      "i32", // clockid_t clockid
      "buffer", // struct timespec *tp
    ],
    result: "i32",
  },

  // Sockets
  if_indextoname: {
    parameters: [
      "u32", // unsigned int ifindex
      "buffer", // char ifname[IF_NAMESIZE]
    ],
    result: "pointer",
  },
  socketpair: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
      "buffer", // int sv[2]
    ],
    result: "i32",
  },
  socket: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32",
  },
  bind: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  connect: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  getsockname: {
    parameters: [
      "i32", // int sockfd
      "buffer", // struct sockaddr *addr
      "buffer", // socklen_t *addrlen
    ],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // const void *optval
      "u32", // socklen_t optlen
    ],
    result: "i32",
  },
  getsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // void *optval
      "buffer", // socklen_t *optlen
    ],
    result: "i32",
  },
  send: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "u32", // size_t len
      "i32", // int flags
    ],
    result: "i32",
  },
  recv: {
    parameters: [
      "i32", // int sockfd
      "buffer", // void *buf
      "u32", // size_t len
      "i32", // int flags
    ],
    result: "i32",
  },
  sendmmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
    ],
    result: "i32",
  },
  recvmmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct mmsghdr *msgvec
      "u32", // unsigned int vlen
      "i32", // int flags
      "pointer", // struct timespec *timeout
    ],
    result: "i32",
  },

  // Addresses
  inet_pton: {
    parameters: [
      "i32", // int af
      "buffer", // const char *src
      "buffer", // void *dst
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type LibcSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** An interface, so that a test can hand in one whose calls fail. */
export interface Libc {
  readonly symbols: LibcSymbols;
  /**
   * The number of the last failed call of this thread: to be read at once,
   * since anything in between may change it.
   */
  errno(): number;
  error(what: string, syscall: string): SystemError;
  /** How often `error` was told EPERM, by the name of the call. */
  readonly refused: Map<string, number>;
  close(): void;
}

/** glibc, then musl, whose file name carries the architecture. */
const LIBRARY_NAMES = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];

/**
 * Every thread needs its own: a `Libc` cannot be posted to a worker, and
 * `errno` belongs to a thread.
 * @throws {Deno.errors.NotCapable} Without the permission --allow-ffi.
 * @throws {Error} When no C library can be opened; the message says why.
 */
export function openLibc(): Libc {
  const library = openCLibrary(SYMBOLS);
  const { symbols } = library;
  const location = symbols.__errno_location();
  if (location === null) {
    throw new Error("Cannot find errno: its address is null");
  }
  const errnoView = new Deno.UnsafePointerView(location);
  const errno = () => errnoView.getInt32();
  const refused = new Map<string, number>();
  return {
    symbols,
    errno,
    error(what, syscall) {
      const error = new SystemError(what, syscall, errno());
      if (error.errno === Errno.EPERM) {
        refused.set(syscall, (refused.get(syscall) ?? 0) + 1);
      }
      return error;
    },
    refused,
    close: () => library.close(),
  };
}

/** With another table, for functions that few need. */
export function openCLibrary<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> {
  return openFirst(
    LIBRARY_NAMES,
    symbols,
    (reasons) => new Error(`Cannot open the C library: ${reasons}`),
  );
}

/** @throws {TypeError} For a zero character, at which C would cut the text. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      "Cannot make a C string: the text contains a zero character",
    );
  }
  return new TextEncoder().encode(`${text}\0`);
}
