// Error numbers of Linux, the same on x86-64 and aarch64
// (include/uapi/asm-generic/errno-base.h and errno.h).

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EPIPE: 32,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  EBADFD: 77,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
} as const;

const names = new Map<number, string>(
  Object.entries(Errno).map(([name, number]) => [number, name]),
);

/** Such as `EPERM`, or `errno 123` for one not in {@linkcode Errno}. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/**
 * Whether a call that failed is to be made again. Between the call and the look
 * at errno the runtime may have worked and left one of its own: on the threads
 * that carry packets an error counts when it comes twice in a row.
 * @param seen What the call before left, 0 if there was none.
 */
export function isToRepeat(errno: number, seen: number): boolean {
  return errno === Errno.EINTR || errno !== seen;
}

/** A call into the C library that failed. */
export class SystemError extends Error {
  /** Always `SystemError`. */
  override readonly name = "SystemError";
  /** The call that failed, such as `ioctl`. */
  readonly syscall: string;
  /** The error's name, such as `EPERM`. */
  readonly code: string;
  /** The error's number. */
  readonly errno: number;

  /**
   * Makes the error of a call that has just failed.
   *
   * @param what What could not be done, without the word "Cannot": the
   * message is built from it.
   * @param syscall The call that failed.
   * @param errno The error number it left.
   */
  constructor(what: string, syscall: string, errno: number) {
    const code = errnoName(errno);
    super(`Cannot ${what}: ${syscall}() failed with ${code}`);
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
  }
}
