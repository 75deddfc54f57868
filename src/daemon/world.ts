// Everything outside that a daemon touches.
import type { Identity } from "../../ffi/process/identity.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import type { PathKind } from "../config/config_place.ts";
import type { KeyChainBytes, SecretBytes } from "../config/host_files.ts";
import type { Runtime } from "../config/version.ts";
import type { Logger } from "../log/logger.ts";
import type { LogSurroundings } from "../log/outlet.ts";
import type { Every } from "../net/every.ts";
import type { Delay } from "../net/delay.ts";
import type { Lookup } from "../net/resolver.ts";
import type { Digest } from "../satp/secrets.ts";
import type {
  ConnectTcp,
  ListenTcp,
  OwnerOf,
  UnixStreams,
} from "../sync/streams.ts";
import type { PlaneBuilder } from "../tunnel/plane.ts";
import type { TunnelSettings } from "../tunnel/settings.ts";
import type { AnycastHandle } from "./anycast_addresses.ts";
import type { KeptBytes } from "./chain_file.ts";
import type { GuardHandle } from "./guard.ts";
import type { GuardSetup } from "./guard_setup.ts";
import type { Parent } from "./parent.ts";
import type { ProcessControl } from "./process_control.ts";
import type { RandomFill } from "../tunnel/sender_ids.ts";
import type { OnSignal } from "./signals.ts";

/** To the service manager, sd_notify(3). */
export interface NotifySocket {
  send(text: string): void;
  /** Interval of the watchdog; undefined without one. */
  readonly watchdogMs: number | undefined;
}

/** What an announcement takes from outside. */
export interface AnnounceTools {
  /**
   * Makes it, for as long as it is open, unless it is there.
   * @throws if there is none afterwards
   */
  openAnycastDevice(name: string): AnycastHandle;
  /**
   * For as long as the process lives, or it is disposed of.
   * @returns The user of the process that has the name already
   */
  claimName(name: string): Disposable | number;
  /** See {@linkcode PathKind}; a `program` is one that this user may run. */
  kindOf(path: string): PathKind;
  /** A path of a file, from where the daemon was started. */
  absolute(path: string): string;
  /**
   * @param words Where a script waits for words
   * @throws if there is no process for it
   */
  startGuard(setup: GuardSetup, words: number | undefined): GuardHandle;
}

export interface World extends LogSurroundings {
  readonly delay: Delay;
  readonly every: Every;
  readonly lookup: Lookup;
  /** Loads what a lookup takes, which is impossible after chroot(2). */
  loadLookup(): Promise<void>;
  readonly digest: Digest;
  /** SHA-256 in base64. */
  hash(data: Uint8Array<ArrayBuffer>): string;
  readonly random: RandomFill;
  /** Where the service manager has a program keep its state, if it says so. */
  readonly stateDirectory: string | undefined;
  /** Where the service manager has a program keep its sockets, likewise. */
  readonly runtimeDirectory: string | undefined;
  /**
   * Makes a folder that all may look into, unless there is one.
   * @throws if there is none afterwards
   */
  makeRunFolder(path: string): void;
  /** Another one for each start of the system. */
  bootId(): string;
  /**
   * @param owner Whom the process will be
   * @throws if it cannot be made, opened or written to
   */
  openStateFolder(path: string, owner: Identity | undefined): StateFolder;
  /**
   * Another one after each change of it, as far as clocks tell; undefined where
   * nobody knows.
   */
  fileVersion(path: string): string | undefined;
  /** @throws if the file cannot be read, or is huge */
  readSecretFile(path: string): SecretBytes;
  /** @throws if it cannot be read, or cannot be replaced as a whole */
  readKeyChain(path: string): KeyChainBytes;
  /** @throws if it cannot be opened, nor replaced later */
  openKeptFile(path: string): KeptBytes;
  readonly runtime: Runtime;
  readonly listenTcp: ListenTcp;
  readonly connectTcp: ConnectTcp;
  /**
   * The same at each call.
   * @throws if there are none
   */
  openUnixStreams(): UnixStreams;
  /** @throws if the kernel does not tell */
  openOwners(): OwnerOf;
  effectiveUser(): number;
  /** Milliseconds of a monotonic clock. */
  elapsed(): number;
  /** As of the data plane: ms since 1970, by a clock that never goes back. */
  steadyNow(): number;
  /** Microseconds of CLOCK_MONOTONIC, as sd_notify(3) wants them. */
  monotonic(): number;
  /** @throws if the engine that was asked for by name is not available */
  choosePlane(
    settings: TunnelSettings,
    logger: Logger,
  ): Promise<PlaneBuilder>;
  /** Loads what an announcement takes. */
  announcing(): Promise<AnnounceTools>;
  readonly onSignal: OnSignal;
  readonly control: ProcessControl;
  readonly parent: Parent;
  /** @throws if the service manager cannot be reached */
  openNotifySocket(): NotifySocket | undefined;
}
