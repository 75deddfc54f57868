/**
 * Everything outside that the daemon touches. The real one is made where the
 * program starts; tests bring their own.
 *
 * @module
 */
import type { SecretBytes } from "../config/secret_files.ts";
import type { Logger } from "../log/logger.ts";
import type { LogSurroundings } from "../log/outlet.ts";
import type { Delay, Lookup } from "../net/resolver.ts";
import type { Digest } from "../satp/secrets.ts";
import type {
  ConnectTcp,
  ListenTcp,
  OwnerOf,
  UnixStreams,
} from "../sync/streams.ts";
import type { PlaneBuilder } from "../tunnel/plane.ts";
import type { TunnelSettings } from "../tunnel/settings.ts";
import type { Parent } from "./parent.ts";
import type { ProcessControl } from "./process_control.ts";
import type { RandomFill } from "../tunnel/sender_ids.ts";
import type { OnSignal } from "./signals.ts";
import type { NotifySocket } from "./supervisor.ts";

/** What the daemon is given at its start. */
export interface World extends LogSurroundings {
  readonly delay: Delay;
  readonly lookup: Lookup;
  readonly digest: Digest;
  /** SHA-256 at once, as text. */
  hash(data: Uint8Array<ArrayBuffer>): string;
  readonly random: RandomFill;
  /** @throws if the file cannot be read, or is huge */
  readSecretFile(path: string): SecretBytes;
  readonly listenTcp: ListenTcp;
  readonly connectTcp: ConnectTcp;
  /**
   * The same at each call.
   *
   * @throws if there are none
   */
  openUnixStreams(): UnixStreams;
  /** @throws if the kernel does not tell */
  openOwners(): OwnerOf;
  /** The user that this process acts as now. */
  effectiveUser(): number;
  /** Milliseconds of a clock that never goes back. */
  elapsed(): number;
  /** Microseconds of CLOCK_MONOTONIC, which other processes can compare. */
  monotonic(): number;
  /** @throws if the engine that was asked for by name is not available */
  choosePlane(
    settings: TunnelSettings,
    logger: Logger,
  ): Promise<PlaneBuilder>;
  readonly onSignal: OnSignal;
  readonly control: ProcessControl;
  readonly parent: Parent;
  /** @throws if there should be a service manager, but it cannot be reached */
  openNotifySocket(): NotifySocket | undefined;
}
