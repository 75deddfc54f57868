/**
 * A device that is no device: one end of a pair of connected sockets, which
 * keeps the borders between packets as a TUN device does.
 *
 * @module
 */
import { Errno } from "../../ffi/errno.ts";
import { cString, type Libc, openCLibrary } from "../../ffi/libc.ts";
import { SocketPair } from "../../ffi/net/socket_pair.ts";

const SYMBOLS = {
  dup: { parameters: ["i32" /* int oldfd */], result: "i32" },
  dup2: {
    parameters: [
      "i32", // int oldfd
      "i32", // int newfd
    ],
    result: "i32",
  },
} as const;

// socket(7), recv(2)
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const MSG_DONTWAIT = 0x40;
// open(2)
const O_WRONLY = 1;

/** What the ends can hold, as far as the system allows; super-packets need it. */
const BUFFER_BYTES = 4 << 20;

/** The longest packet with its virtio header, rounded up. */
const LONGEST_BYTES = 1 << 17;

/** The device, and the kernel's end of it. */
export class PairDevice {
  readonly #libc: Libc;
  readonly #pair: SocketPair;
  readonly #room = new Uint8Array(LONGEST_BYTES);

  /** Opens a device. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#pair = new SocketPair(libc);
    const { near, far } = this.#pair;
    const size = new Uint8Array(Int32Array.of(BUFFER_BYTES).buffer);
    for (const end of [near, far]) {
      libc.symbols.setsockopt(end, SOL_SOCKET, SO_SNDBUF, size, 4);
    }
  }

  /** The descriptor that stands for the device. */
  get fd(): number {
    return this.#pair.near;
  }

  /**
   * Hands a packet to the program, its virtio header included if there is one.
   *
   * @returns false if the program has too many unread
   */
  handOver(packet: Uint8Array): boolean {
    const { send } = this.#libc.symbols;
    const bytes = Uint8Array.from(packet);
    if (send(this.#pair.far, bytes, bytes.length, MSG_DONTWAIT) >= 0) {
      return true;
    }
    const error = this.#libc.error("hand over a packet", "send");
    if (error.errno === Errno.EAGAIN) return false;
    throw error;
  }

  /** What the program has written, packet by packet. */
  taken(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    const { recv } = this.#libc.symbols;
    const room = this.#room;
    for (;;) {
      const size = recv(this.#pair.far, room, room.length, MSG_DONTWAIT);
      if (size <= 0) return packets;
      packets.push(room.slice(0, size));
    }
  }

  /** Makes the next read fail, and wakes who waits for one. */
  breakReading(): void {
    replaceDescriptor(this.#libc, this.#pair.near, O_WRONLY);
    replaceDescriptor(this.#libc, this.#pair.far, O_WRONLY);
  }

  /** Closes both ends. */
  close(): void {
    this.#pair[Symbol.dispose]();
  }
}

/** A second descriptor of the same file. */
export function duplicate(fd: number): number {
  return withDescriptors((symbols) => symbols.dup(fd));
}

/**
 * Puts /dev/null in the place of an open file. Closing it instead would hand
 * its number to whatever this process opens next.
 */
export function replaceDescriptor(libc: Libc, fd: number, mode: number): void {
  const none = libc.symbols.open(cString("/dev/null"), mode, 0);
  const put = withDescriptors((symbols) => symbols.dup2(none, fd));
  libc.symbols.close(none);
  if (put < 0) throw new Error(`Cannot replace file descriptor ${fd}`);
}

function withDescriptors(
  call: (
    symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
  ) => number,
): number {
  const library = openCLibrary(SYMBOLS);
  try {
    return call(library.symbols);
  } finally {
    library.close();
  }
}
