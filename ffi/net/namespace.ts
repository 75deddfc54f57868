// Network namespaces other than the own one (setns(2), network_namespaces(7)).

import { Errno, type SystemError } from "../errno.ts";
import { O } from "../flags.ts";
import { cString, type Libc, openCLibrary } from "../libc.ts";

/** include/uapi/linux/sched.h */
const CLONE_NEWNET = 0x40000000;
/** Of the calling thread: each one has its own. */
const OWN = "/proc/thread-self/ns/net";

const SYMBOLS = {
  setns: {
    parameters: [
      "i32", // int fd
      "i32", // int nstype
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export class NetworkNamespace implements Disposable {
  readonly path: string;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #library = openCLibrary(SYMBOLS);

  /**
   * @param path Such as /run/netns/blue or /proc/123/ns/net.
   * @throws {SystemError} `ENOENT`, `EACCES` and others.
   */
  constructor(libc: Libc, path: string) {
    this.path = path;
    this.#libc = libc;
    this.#fd = open(libc, path);
  }

  /**
   * Does something there, and comes back. Devices and sockets stay where they were
   * opened, and programs where they were started. Needs CAP_SYS_ADMIN.
   * @param work Waits for nothing: other work of this thread would be done there.
   * @throws {SystemError} `EPERM`, or `EINVAL` where the file is no such namespace.
   * @throws {Error} When there is no way back: the thread is of no use any more.
   */
  inside<T>(work: () => T): T {
    const own = open(this.#libc, OWN);
    try {
      this.#enter(this.#fd, `enter the network namespace ${this.path}`);
      try {
        return work();
      } finally {
        this.#enter(own, "come back from another network namespace");
      }
    } finally {
      this.#libc.symbols.close(own);
    }
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#fd);
    this.#library.close();
  }

  #enter(fd: number, what: string): void {
    if (this.#library.symbols.setns(fd, CLONE_NEWNET) === 0) return;
    throw this.#libc.error(what, "setns");
  }
}

function open(libc: Libc, path: string): number {
  const fd = libc.symbols.open(cString(path), O.RDONLY | O.CLOEXEC, 0);
  if (fd >= 0) return fd;
  throw libc.error(`open the network namespace ${path}`, "open");
}

/** In words, for whoever has named the namespace. */
export function namespaceFault(error: SystemError): string {
  switch (error.errno) {
    case Errno.ENOENT:
      return "there is none of that name; 'ip netns add' makes one";
    case Errno.EPERM:
    case Errno.EACCES:
      return "this user may not enter it: it needs root, or CAP_SYS_ADMIN";
    case Errno.EINVAL:
      return "the file is no network namespace";
    default:
      return error.message;
  }
}
