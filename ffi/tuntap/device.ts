// TUN and TAP devices that are open.

import type { DeviceSettings, DeviceType, TunTap } from "./types.ts";
import { DeviceDrops } from "./device_drops.ts";
import { DeviceRoutes } from "./device_routes.ts";
import { Errno, isToRepeat } from "../errno.ts";
import { deviceMtu, isDeviceRunning, isDeviceUp } from "./ifreq.ts";
import type { Libc } from "../libc.ts";
import {
  configureLink,
  isLinkRunning,
  linkMtu,
  type LinkState,
  linkState,
  questionSocket,
} from "./link.ts";
import { Arena } from "../memory.ts";
import type { NetworkNamespace } from "../net/namespace.ts";
import { EventFd, FOREVER, PollSet } from "../poll.ts";
import { isRefusedPacket, lostDevice, TunTapError } from "./errors.ts";
import type { DeviceQueues } from "./queues.ts";
import { negotiateOffloads, setOffloads } from "./vnet.ts";

interface DeviceKind {
  readonly name: string;
  readonly type: DeviceType;
  readonly namespace?: NetworkNamespace | undefined;
}

/** See {@linkcode TunTap} for the contract. */
export class TunTapDevice implements TunTap {
  readonly name: string;
  readonly type: DeviceType;
  readonly fd: number;
  readonly queues: DeviceQueues;
  readonly #libc: Libc;
  readonly #namespace: NetworkNamespace | undefined;
  /** Of a socket in another namespace, to ask from here. */
  readonly #questions: number | undefined;
  readonly #onClosed: () => void;
  readonly #closing: EventFd;
  readonly #waiting: PollSet;
  #wait: Promise<boolean> | undefined;
  #isOpen = true;

  /**
   * To be called in its namespace.
   * @param queues Become this object's.
   */
  constructor(
    libc: Libc,
    queues: DeviceQueues,
    { name, type, namespace }: DeviceKind,
    onClosed: () => void,
  ) {
    this.#libc = libc;
    this.#namespace = namespace;
    this.#questions = namespace && questionSocket(libc);
    const fd = queues.readFrom[0] ?? -1;
    this.fd = fd;
    this.queues = queues;
    this.name = name;
    this.type = type;
    this.#onClosed = onClosed;
    this.#closing = EventFd.open(libc);
    this.#waiting = new PollSet(libc, new Arena(1), 2);
    this.#waiting.add(fd);
    this.#waiting.add(this.#closing.fd);
  }

  get mtu(): number {
    this.#checkOpen("find the MTU of");
    const questions = this.#questions;
    return questions === undefined
      ? linkMtu(this.#libc, this.name)
      : deviceMtu(this.#libc, questions, this.name);
  }

  state(): LinkState {
    this.#checkOpen("find the state of");
    const questions = this.#questions;
    if (questions === undefined) return linkState(this.#libc, this.name);
    const isUp = isDeviceUp(this.#libc, questions, this.name);
    return { isUp, hasAddress: undefined };
  }

  isRunning(): boolean {
    this.#checkOpen("find the state of");
    const questions = this.#questions;
    return questions === undefined
      ? isLinkRunning(this.#libc, this.name)
      : isDeviceRunning(this.#libc, questions, this.name);
  }

  configure(settings: DeviceSettings): void {
    this.#checkOpen("configure");
    this.inside(() =>
      configureLink(this.#libc, this.name, this.type, settings)
    );
  }

  /** Does something in its network namespace; see {@linkcode NetworkNamespace}. */
  inside<T>(work: () => T): T {
    return this.#namespace === undefined
      ? work()
      : this.#namespace.inside(work);
  }

  /** Routes of the kernel to the device; to be closed. */
  openRoutes(): DeviceRoutes {
    this.#checkOpen("find the routes to");
    return this.inside(() => new DeviceRoutes(this.#libc, this.name));
  }

  /** What the kernel drops for want of room; to be closed. */
  openDrops(): DeviceDrops {
    this.#checkOpen("find the drops of");
    return this.inside(() => new DeviceDrops(this.#libc, this.name));
  }

  read(into: Uint8Array<ArrayBuffer>): number {
    this.#checkOpen("read from");
    for (let seen = 0;;) {
      const count = this.#libc.symbols.read(this.fd, into, into.length);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === Errno.EAGAIN) return 0;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice(`read from ${this.name}`, "read", errno);
    }
  }

  write(packet: Uint8Array<ArrayBuffer>): boolean {
    this.#checkOpen("write to");
    for (let seen = 0;;) {
      const { write } = this.#libc.symbols;
      if (write(this.fd, packet, packet.length) >= 0) return true;
      const errno = this.#libc.errno();
      if (isRefusedPacket(errno)) return false;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice(`write to ${this.name}`, "write", errno);
    }
  }

  /**
   * Lets the kernel pass on packets that still need work, as their header tells;
   * only for a device with that header.
   * @returns Those that the kernel knows and has set.
   */
  negotiateOffloads(wanted: number): number {
    this.#checkOpen("set the offloads of");
    return negotiateOffloads(this.#libc, this.fd, wanted);
  }

  readable(): Promise<boolean> {
    if (!this.#isOpen) return Promise.resolve(false);
    this.#wait ??= this.#waitOnce();
    return this.#wait;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closing.signal();
    if (this.#questions !== undefined) {
      this.#libc.symbols.close(this.#questions);
    }
    // For the next program at a persistent device; see open_device.ts.
    setOffloads(this.#libc, this.fd, 0);
    const { readFrom, writeTo } = this.queues;
    for (const fd of new Set([...readFrom, ...writeTo])) {
      this.#libc.symbols.close(fd);
    }
    // A thread of the pool may be about to wait on the two descriptors. The
    // eventfd, kept open, ends that wait whatever the other number then means.
    if (this.#wait === undefined) this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #waitOnce(): Promise<boolean> {
    try {
      await this.#waiting.waitInBackground(FOREVER);
      return this.#isOpen;
    } finally {
      this.#wait = undefined;
      if (!this.#isOpen) this.#release();
    }
  }

  #release(): void {
    this.#closing.close();
    this.#onClosed();
  }

  #checkOpen(what: string): void {
    if (this.#isOpen) return;
    throw new TunTapError(
      "gone",
      `Cannot ${what} ${this.name}: the device is closed`,
    );
  }
}
