/**
 * A kernel that sends nothing: it reads the messages of sendmmsg(2) where they
 * lie, and takes or refuses each as a test wants.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import { Arena } from "../../ffi/memory.ts";
import { fakeLibc } from "./fake_libc.ts";

/** One message as the kernel sees it. */
export interface KernelMessage {
  readonly fd: number;
  /** UDP port of the destination. */
  readonly port: number;
  /** Bytes of each datagram, 0 where the message is one datagram. */
  readonly segmentSize: number;
  /** Bytes of the address to send from, empty where any is good. */
  readonly source: string;
  /** DSCP and ECN; 0 where nothing says otherwise. */
  readonly trafficClass: number;
  readonly bytes: Uint8Array;
}

/** Says whether a message is taken. */
export type Verdict = (message: KernelMessage) => boolean;

// struct msghdr, struct iovec and struct cmsghdr of 64 bit Linux
const MMSGHDR_SIZE = 64;
const IOVEC_SIZE = 16;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const CMSG_HEADER_SIZE = 16;
/** The level and the type, and where the address is in it. */
/** IP_TOS, and IPV6_TCLASS. */
const CLASSES = ["0 1", "41 67"];
const IP_PKTINFO = { kind: "0 8", at: 4, size: 4 };
const IPV6_PKTINFO = { kind: "41 50", at: 0, size: 16 };

/** Keeps what it is given to send. */
export class RecordingKernel {
  readonly arena = new Arena(1 << 20);
  /** What was taken, message by message. */
  readonly taken: KernelMessage[] = [];
  /** What it said to be refused. */
  readonly refused: KernelMessage[] = [];
  /** Calls of sendmmsg. */
  calls = 0;
  /** The flags of each call. */
  readonly flags: number[] = [];
  /** How many messages one call sends at most. */
  atOnce = Infinity;
  takes: Verdict = () => true;
  /** The error number of a refusal. */
  errno = 0;

  /** The C library for the code under test. */
  libc(real: Libc): Libc {
    const sendmmsg = (
      fd: number,
      first: Deno.PointerValue,
      count: number,
      flags: number,
    ) => {
      this.flags.push(flags);
      const at = this.#offset(Deno.UnsafePointer.value(first));
      return this.#send(fd, at, count);
    };
    const errno = () => this.errno;
    return { ...fakeLibc(real, { sendmmsg }, 0), errno };
  }

  /** The datagrams taken, cut out of the messages. */
  datagrams(): { readonly port: number; readonly bytes: Uint8Array }[] {
    return this.taken.flatMap(({ port, bytes, segmentSize }) => {
      const size = segmentSize || bytes.length;
      const count = Math.max(1, Math.ceil(bytes.length / size));
      return Array.from({ length: count }, (_, k) => ({
        port,
        bytes: bytes.slice(k * size, (k + 1) * size),
      }));
    });
  }

  #send(fd: number, first: number, count: number): number {
    this.calls++;
    for (let k = 0; k < count; k++) {
      if (k >= this.atOnce) return k;
      const message = this.#read(fd, first + k * MMSGHDR_SIZE);
      if (!this.takes(message)) {
        // Of a message that is not the first the caller learns when asking again.
        if (k > 0) return k;
        this.refused.push(message);
        return -1;
      }
      this.taken.push(message);
    }
    return count;
  }

  #read(fd: number, at: number): KernelMessage {
    const { view, bytes } = this.arena;
    const name = this.#pointerAt(at);
    const pieces = this.#pointerAt(at + 16);
    const pieceCount = view.getUint32(at + 24, true);
    const parts: number[] = [];
    for (let k = 0; k < pieceCount; k++) {
      const from = this.#pointerAt(pieces + k * IOVEC_SIZE);
      const size = view.getUint32(pieces + k * IOVEC_SIZE + 8, true);
      parts.push(...bytes.subarray(from, from + size));
    }
    return {
      fd,
      port: view.getUint16(name + 2),
      ...this.#controls(at),
      bytes: Uint8Array.from(parts),
    };
  }

  #controls(
    at: number,
  ): Pick<KernelMessage, "segmentSize" | "source" | "trafficClass"> {
    const { view, bytes } = this.arena;
    const found = { segmentSize: 0, source: "", trafficClass: 0 };
    const control = this.#pointerAt(at + 32);
    const end = control + view.getUint32(at + 40, true);
    for (let next = control; next < end;) {
      const size = view.getUint32(next, true);
      const data = next + CMSG_HEADER_SIZE;
      const kind = [8, 12].map((k) => view.getUint32(next + k, true)).join(" ");
      const info = [IP_PKTINFO, IPV6_PKTINFO].find((one) => one.kind === kind);
      if (kind === `${SOL_UDP} ${UDP_SEGMENT}`) {
        found.segmentSize = view.getUint16(data, true);
      } else if (CLASSES.includes(kind)) {
        found.trafficClass = view.getInt32(data, true);
      } else if (info) {
        const from = data + info.at;
        found.source = bytes.slice(from, from + info.size).join(".");
      } else {
        throw new Error(`Cannot know a control message of kind ${kind}`);
      }
      next += Math.ceil(size / 8) * 8;
    }
    return found;
  }

  #pointerAt(at: number): number {
    return this.#offset(this.arena.view.getBigUint64(at, true));
  }

  #offset(address: bigint): number {
    return Number(address - this.arena.address(0));
  }
}
