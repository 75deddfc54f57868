// UDP sockets of the kernel, with the offloads of Linux.

import { SystemError } from "../errno.ts";
import {
  AF,
  IP,
  IPPROTO,
  IPV6,
  PMTUDISC,
  SO,
  SOCK,
  SOL,
  UDP,
} from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import {
  readSockaddr,
  SOCKADDR_SIZE,
  sockaddrLength,
  type SocketAddress,
  writeSockaddr,
} from "./sockaddr.ts";

// include/uapi/linux/sock_diag.h: SK_MEMINFO_VARS, SK_MEMINFO_DROPS
const MEMINFO_WORDS = 9;
const MEMINFO_DROPS = 8;

/** Of payload, not of memory. */
interface BufferSizes {
  readonly send: number;
  readonly receive: number;
}

/** Which way datagrams take; what is left out the kernel decides. */
export interface SocketWay {
  /** For routing rules and firewalls (SO_MARK, socket(7)); 0 is none. */
  readonly mark?: number | undefined;
  /** The only device to send and receive over (SO_BINDTODEVICE). */
  readonly device?: string | undefined;
  /**
   * It is bound to, or sends from, addresses that this host may not have yet, or
   * not any more (IP_FREEBIND, ip(7)).
   */
  readonly isFree?: boolean | undefined;
}

interface SocketOptions extends SocketWay {
  /** Whether it joins those that have the address and let it (SO_REUSEPORT). */
  readonly joins?: boolean;
}

export class UdpSocket {
  readonly fd: number;
  /** With the port that the kernel chose for 0. */
  readonly local: SocketAddress;
  readonly #libc: Libc;

  private constructor(libc: Libc, fd: number, local: SocketAddress) {
    this.#libc = libc;
    this.fd = fd;
    this.local = local;
  }

  /**
   * One for IPv6 takes IPv6 only (SATP section 10).
   * @throws {SystemError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EAFNOSUPPORT`,
   * `ENODEV` without that device, and others.
   */
  static open(
    libc: Libc,
    local: SocketAddress,
    { joins = false, ...way }: SocketOptions = {},
  ): UdpSocket {
    const family = local.address.length === 16 ? AF.INET6 : AF.INET;
    const type = SOCK.DGRAM | SOCK.CLOEXEC;
    const fd = libc.symbols.socket(family, type, 0);
    if (fd < 0) throw libc.error("open a UDP socket", "socket");
    try {
      if (family === AF.INET6) {
        setOption(libc, fd, IPPROTO.IPV6, IPV6.V6ONLY, 1);
      } else {
        // What does not fit is cut by whoever finds out: with the flag Don't
        // Fragment it would vanish where nobody may say so (RFC 2923 section 2.1).
        setOption(libc, fd, IPPROTO.IP, IP.MTU_DISCOVER, PMTUDISC.DONT);
      }
      if (joins) setOption(libc, fd, SOL.SOCKET, SO.REUSEPORT, 1);
      if (way.isFree) letFree(libc, fd, family);
      choose(libc, fd, way);
      return new UdpSocket(libc, fd, bind(libc, fd, local));
    } catch (error) {
      libc.symbols.close(fd);
      throw error;
    }
  }

  /**
   * Of all that is sent from now on; 0 is none.
   * @throws {SystemError} `EPERM` without CAP_NET_ADMIN.
   */
  setMark(mark: number): void {
    setMark(this.#libc, this.fd, mark);
  }

  /**
   * Has datagrams say "don't fragment" as long as they fit what the kernel knows
   * of the path, or always: then sending longer ones fails with `EMSGSIZE`. What
   * routers tell the kernel believes for ten minutes.
   */
  discoverMtu(choice: "maybe" | "yes"): void {
    const value = choice === "yes" ? PMTUDISC.DO : PMTUDISC.WANT;
    this.#setIpOption(IP.MTU_DISCOVER, IPV6.MTU_DISCOVER, value);
  }

  letOthersJoin(): void {
    setOption(this.#libc, this.fd, SOL.SOCKET, SO.REUSEPORT, 1);
  }

  /**
   * With CAP_NET_ADMIN beyond the limit that the administrator set, without it up to
   * that limit.
   * @returns What the kernel gives.
   */
  resizeBuffers(wanted: BufferSizes): BufferSizes {
    return {
      send: this.#resize(SO.SNDBUFFORCE, SO.SNDBUF, wanted.send),
      receive: this.#resize(SO.RCVBUFFORCE, SO.RCVBUF, wanted.receive),
    };
  }

  #resize(force: number, plain: number, wanted: number): number {
    if (!this.#allows(SOL.SOCKET, force, wanted)) {
      this.#allows(SOL.SOCKET, plain, wanted);
    }
    // The kernel counts its own overhead in, as much again (socket(7)).
    return getOption(this.#libc, this.fd, SOL.SOCKET, plain) / 2;
  }

  /**
   * How much has come that the kernel dropped, modulo 2^32: there was no room in
   * the buffer, or a checksum was wrong. Joined datagrams count as one; 0 where
   * the kernel does not say (before Linux 4.12).
   */
  get dropped(): number {
    const info = new Uint32Array(MEMINFO_WORDS);
    const size = new Uint8Array(Uint32Array.of(info.byteLength).buffer);
    const { getsockopt } = this.#libc.symbols;
    const bytes = new Uint8Array(info.buffer);
    const result = getsockopt(this.fd, SOL.SOCKET, SO.MEMINFO, bytes, size);
    return result < 0 ? 0 : info[MEMINFO_DROPS] ?? 0;
  }

  /**
   * Datagrams of one sender are joined. Every receive buffer must then hold 64 KiB.
   * @returns Whether the kernel can (since Linux 5.0).
   */
  enableGro(): boolean {
    return this.#allows(SOL.UDP, UDP.GRO, 1);
  }

  /** Whether it has no address of its own, but takes all of its family. */
  get isAnywhere(): boolean {
    return this.local.address.every((byte) => byte === 0);
  }

  /** Has each message tell its class of traffic, or no more. */
  tellClasses(tells = true): void {
    this.#setIpOption(IP.RECVTOS, IPV6.RECVTCLASS, tells ? 1 : 0);
  }

  /** Has each message tell to which address of this host it came. */
  tellLocalAddresses(): void {
    this.#setIpOption(IP.PKTINFO, IPV6.RECVPKTINFO, 1);
  }

  /**
   * @returns Whether the kernel can cut one message into datagrams (since Linux
   * 4.18). The path of a message may still refuse.
   */
  supportsGso(): boolean {
    return this.#allows(SOL.UDP, UDP.SEGMENT, 0);
  }

  close(): void {
    this.#libc.symbols.close(this.fd);
  }

  #allows(level: number, option: number, value: number): boolean {
    return trySetOption(this.#libc, this.fd, level, option, value);
  }

  /** What is one option in IPv4, and another one in IPv6. */
  #setIpOption(ipv4: number, ipv6: number, value: number): void {
    const isIpv6 = this.local.address.length === 16;
    const level = isIpv6 ? IPPROTO.IPV6 : IPPROTO.IP;
    setOption(this.#libc, this.fd, level, isIpv6 ? ipv6 : ipv4, value);
  }
}

function letFree(libc: Libc, fd: number, family: number): void {
  if (family === AF.INET) setOption(libc, fd, IPPROTO.IP, IP.FREEBIND, 1);
  else setOption(libc, fd, IPPROTO.IPV6, IPV6.FREEBIND, 1);
}

/** Before the address: another program may have the same on another device. */
function choose(libc: Libc, fd: number, { mark = 0, device }: SocketWay): void {
  if (mark !== 0) setMark(libc, fd, mark);
  if (device === undefined) return;
  const name = cString(device);
  const { setsockopt } = libc.symbols;
  const option = SO.BINDTODEVICE;
  if (setsockopt(fd, SOL.SOCKET, option, name, name.length) >= 0) return;
  throw libc.error(`bind a UDP socket to the device ${device}`, "setsockopt");
}

function setMark(libc: Libc, fd: number, mark: number): void {
  if (trySetOption(libc, fd, SOL.SOCKET, SO.MARK, mark)) return;
  // Not by libc.error(): to be refused is no sign of an intruder.
  const what = `set the mark of a UDP socket to ${mark}`;
  throw new SystemError(what, "setsockopt", libc.errno());
}

function bind(libc: Libc, fd: number, local: SocketAddress): SocketAddress {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  const view = new DataView(bytes.buffer);
  writeSockaddr(view, 0, local);
  const length = sockaddrLength(new Uint32Array(bytes.buffer), 0);
  if (libc.symbols.bind(fd, bytes, length) < 0) {
    throw libc.error(`bind a UDP socket to port ${local.port}`, "bind");
  }
  const room = new Uint8Array(Uint32Array.of(SOCKADDR_SIZE).buffer);
  if (libc.symbols.getsockname(fd, bytes, room) < 0) {
    throw libc.error("find the port of a UDP socket", "getsockname");
  }
  return readSockaddr(view, 0);
}

function trySetOption(
  libc: Libc,
  fd: number,
  level: number,
  option: number,
  value: number,
): boolean {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  const { setsockopt } = libc.symbols;
  return setsockopt(fd, level, option, bytes, bytes.length) >= 0;
}

function setOption(
  libc: Libc,
  fd: number,
  level: number,
  option: number,
  value: number,
): void {
  if (trySetOption(libc, fd, level, option, value)) return;
  throw libc.error(`set option ${option} of a UDP socket`, "setsockopt");
}

function getOption(
  libc: Libc,
  fd: number,
  level: number,
  option: number,
): number {
  const value = new Int32Array(1);
  const size = new Uint8Array(Uint32Array.of(4).buffer);
  const { getsockopt } = libc.symbols;
  if (getsockopt(fd, level, option, new Uint8Array(value.buffer), size) < 0) {
    throw libc.error(`get option ${option} of a UDP socket`, "getsockopt");
  }
  return value[0] ?? 0;
}
