// Packets of a TUN or TAP device in an arena, without an allocation per packet.

import { Errno, isToRepeat } from "../errno.ts";
import { GatherList } from "../net/messages.ts";
import type { Libc } from "../libc.ts";
import type { Arena } from "../memory.ts";
import { isRefusedPacket, lostDevice } from "./errors.ts";

/** One thread's access to a device that another owner has opened and will close. */
export class PacketPort {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #fd: number;
  readonly #writeTo: number;
  readonly #pieces: GatherList;

  /**
   * @param maxPieces Of a packet for {@linkcode PacketPort.writeGathered}.
   * @param writeTo Another descriptor of the device, for what is written.
   */
  constructor(
    libc: Libc,
    arena: Arena,
    fd: number,
    maxPieces = 64,
    writeTo = fd,
  ) {
    this.#libc = libc;
    this.#arena = arena;
    this.#fd = fd;
    this.#writeTo = writeTo;
    this.#pieces = new GatherList(arena, maxPieces);
  }

  /**
   * Does not wait. A virtio header counts as part of the packet.
   * @param room The kernel cuts what is longer.
   * @returns Bytes read, 0 when no packet is waiting.
   * @throws {TunTapError} `gone`, when the device was removed.
   */
  read(at: number, room: number): number {
    this.#arena.check(at, room);
    for (let seen = 0;;) {
      const { readAt } = this.#libc.symbols;
      const count = readAt(this.#fd, this.#arena.pointer(at), room);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === Errno.EAGAIN) return 0;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice("read from the device", "read", errno);
    }
  }

  /**
   * @returns Whether the kernel took it; see {@linkcode TunTap.write}.
   * @throws {TunTapError} `gone`, when the device was removed.
   */
  write(at: number, size: number): boolean {
    this.#arena.check(at, size);
    for (let seen = 0;;) {
      const { writeAt } = this.#libc.symbols;
      if (writeAt(this.#writeTo, this.#arena.pointer(at), size) >= 0) {
        return true;
      }
      const errno = this.#libc.errno();
      if (isRefusedPacket(errno)) return false;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice("write to the device", "write", errno);
    }
  }

  writeGathered(
    at: Readonly<Uint32Array>,
    size: Readonly<Uint32Array>,
    count: number,
  ): boolean {
    this.#pieces.clear();
    for (let k = 0; k < count; k++) this.#pieces.add(at[k] ?? 0, size[k] ?? 0);
    for (let seen = 0;;) {
      const { writev } = this.#libc.symbols;
      const { pointer, length } = this.#pieces;
      if (writev(this.#writeTo, pointer, length) >= 0) return true;
      const errno = this.#libc.errno();
      if (isRefusedPacket(errno)) return false;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice("write to the device", "writev", errno);
    }
  }
}
