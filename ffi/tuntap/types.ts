// TUN and TAP devices, as those see them who use one.

/** `tun` carries IP packets, `tap` Ethernet frames. */
export type DeviceType = "tun" | "tap";

/** Which device to open. */
export interface TunTapOptions {
  /**
   * A name of at most 15 bytes, or a pattern with one `%d` for which the kernel
   * puts the first free number. Left out: `tun%d` or `tap%d`. A persistent
   * device of that name is attached to; otherwise the device is made, and
   * vanishes when it is closed.
   */
  readonly name?: string;
  /** What the device carries. Left out: `tun`. */
  readonly type?: DeviceType;
}

/** What to change about a device; what is left out stays as it is. */
export interface DeviceSettings {
  /**
   * Addresses to add, such as `192.0.2.1/24` and `2001:db8::1/64`. An address
   * that the device already has is no error.
   */
  readonly addresses?: readonly string[];
  /** The longest packet in bytes, 68 to 65535, without an Ethernet header. */
  readonly mtu?: number;
  /** Whether the link is to be up. */
  readonly up?: boolean;
}

/** An open TUN or TAP device. */
export interface TunTap extends Disposable {
  /** The name that the kernel gave the device. */
  readonly name: string;
  /** What the device carries. */
  readonly type: DeviceType;
  /** The file descriptor, which does not block. */
  readonly fd: number;
  /**
   * The MTU at present, in bytes.
   *
   * @throws {TunTapError} `gone`, when the device was removed.
   */
  readonly mtu: number;

  /**
   * Sets the MTU, then the addresses, then the link state.
   *
   * @param settings What to change. All of it is checked before anything is
   * changed.
   * @throws {TunTapError} `bad-setting` for an address or MTU that no device
   * can have, `not-permitted`, or `failed`.
   */
  configure(settings: DeviceSettings): void;

  /**
   * Reads one packet without waiting: an IP packet of a TUN device, an Ethernet
   * frame of a TAP device, and nothing in front of it.
   *
   * @param into Where the packet goes. A packet longer than this is cut by the
   * kernel, so it should be longer than MTU and Ethernet header together.
   * @returns The length of the packet in bytes, 0 when none is waiting.
   * @throws {TunTapError} `gone`, when the device was closed or removed.
   */
  read(into: Uint8Array<ArrayBuffer>): number;

  /**
   * Gives one packet to the kernel, exactly as long as the array.
   *
   * @returns Whether the kernel took it. It does not take one that is neither
   * IPv4 nor IPv6 (TUN device) or shorter than its header (TAP device), and
   * none while the link is down or memory is short.
   * @throws {TunTapError} `gone`, when the device was closed or removed.
   */
  write(packet: Uint8Array<ArrayBuffer>): boolean;

  /**
   * Waits, without blocking the thread, until a packet can be read. Calls that
   * overlap share one wait.
   *
   * @returns True when there is something to read (or an error to meet by
   * reading), false when the device has been closed.
   */
  readable(): Promise<boolean>;

  /**
   * Closes the device and ends a wait for it. A device that is not persistent
   * vanishes. A second call does nothing.
   */
  close(): void;
}
