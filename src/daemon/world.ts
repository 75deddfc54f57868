/**
 * Everything outside that the daemon touches. The real one is made where the
 * program starts; tests bring their own.
 *
 * @module
 */
import type { LogSurroundings } from "../log/log.ts";
import type { Delay, FamilyChoice, Lookup } from "../net/resolver.ts";
import type { IpAddress } from "../net/address.ts";
import type { CryptoEngine } from "../satp/engine.ts";
import type { Digest } from "../satp/secrets.ts";
import type { DatagramSocket, PacketDevice } from "../tunnel/seams.ts";

/** Signals that end the daemon or tell it something. */
export type SignalName = "SIGTERM" | "SIGINT";

/** A device with what is needed to set it up. */
export interface ConfigurableDevice extends PacketDevice {
  /** As the kernel has it. */
  readonly name: string;
  configure(
    settings: {
      readonly addresses: readonly string[];
      readonly mtu: number;
      readonly up: boolean;
    },
  ): void;
  close(): void;
}

/** What the daemon is given at its start. */
export interface World extends LogSurroundings {
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  readonly delay: Delay;
  readonly lookup: Lookup;
  readonly digest: Digest;
  readonly engine: CryptoEngine;
  /** @throws with a text for people if the device cannot be had */
  openDevice(
    name: string | undefined,
    type: "tun" | "tap",
  ): ConfigurableDevice;
  /** @throws if one of the addresses cannot be bound */
  bindUdp(addresses: readonly IpAddress[], port: number): DatagramSocket[];
  /** @throws if the port is taken */
  bindUdpToAll(family: FamilyChoice, port: number): DatagramSocket[];
  /** @returns A function that ends the listening */
  onSignal(name: SignalName, listener: () => void): () => void;
}
