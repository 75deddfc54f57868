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
  EALREADY: 114,
  EINPROGRESS: 115,
} as const;

/** In the words of strerror(3), which people and scripts know. */
const TEXTS: Readonly<Record<string, string>> = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ESRCH: "No such process",
  EINTR: "Interrupted system call",
  EIO: "Input/output error",
  ENXIO: "No such device or address",
  EBADF: "Bad file descriptor",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EFAULT: "Bad address",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  ENODEV: "No such device",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EINVAL: "Invalid argument",
  ENFILE: "Too many open files in system",
  EMFILE: "Too many open files",
  ENOTTY: "Inappropriate ioctl for device",
  EFBIG: "File too large",
  ENOSPC: "No space left on device",
  ESPIPE: "Illegal seek",
  EROFS: "Read-only file system",
  EPIPE: "Broken pipe",
  ERANGE: "Numerical result out of range",
  ENAMETOOLONG: "File name too long",
  ENOSYS: "Function not implemented",
  ELOOP: "Too many levels of symbolic links",
  EBADFD: "File descriptor in bad state",
  ENOTSOCK: "Socket operation on non-socket",
  EMSGSIZE: "Message too long",
  ENOPROTOOPT: "Protocol not available",
  EOPNOTSUPP: "Operation not supported",
  EAFNOSUPPORT: "Address family not supported by protocol",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  ENETDOWN: "Network is down",
  ENETUNREACH: "Network is unreachable",
  ECONNRESET: "Connection reset by peer",
  ENOBUFS: "No buffer space available",
  ENOTCONN: "Transport endpoint is not connected",
  ETIMEDOUT: "Connection timed out",
  ECONNREFUSED: "Connection refused",
  EHOSTDOWN: "Host is down",
  EHOSTUNREACH: "No route to host",
};

const names = new Map<number, string>(
  Object.entries(Errno).map(([name, number]) => [number, name]),
);

/** Such as `EPERM`, or `errno 123` for one not in {@linkcode Errno}. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** Such as `No such file or directory (open(), ENOENT)`. */
export function failureText(syscall: string, errno: number): string {
  const code = errnoName(errno);
  const text = TEXTS[code];
  return text === undefined
    ? `${syscall}() failed with ${code}`
    : `${text} (${syscall}(), ${code})`;
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
    super(`Cannot ${what}: ${failureText(syscall, errno)}`);
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
  }
}
