/**
 * What the program `anytun` is told to do.
 *
 * @module
 */
import type { LogFormat, LogTarget } from "../log/target.ts";
import type { Prefix } from "../net/prefix.ts";
import type { ClusterOptions } from "./cluster.ts";
import type { SenderIdRange } from "./sender_id.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { Role, SatpParameters } from "../satp/params.ts";
import type { DeviceType } from "../satp/payload.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import type {
  EngineChoice,
  OffloadName,
  WorkersChoice,
} from "../tunnel/settings.ts";

/** The device to open (SATP section 11). */
export interface DeviceOptions {
  /** At most 15 bytes; without one the kernel chooses. */
  readonly name: string | undefined;
  /** IP packets (tun) or Ethernet frames (tap). */
  readonly type: DeviceType;
}

/** A program to run once the device is there (SATP section 11). */
export interface PostUpOptions {
  /** Its path; nothing is searched for it. */
  readonly script: string;
  /** Whether the daemon waits for it, and fails if it does. */
  readonly required: boolean;
}

/**
 * Validated options of `anytun` (CLI section 2). Cipher, key derivation,
 * authentication and tag length are those in force, not just those given.
 */
export interface AnytunOptions extends SatpParameters {
  /** `-D` or `-U`: do not go to the background. */
  readonly foreground: boolean;
  /** Who to become. */
  readonly username: string | undefined;
  /** The group to take on instead of the user's; only with a user. */
  readonly groupname: string | undefined;
  /** The folder that becomes the root of the file system. */
  readonly chroot: string | undefined;
  /** The file that takes the process id. */
  readonly pidFile: string | undefined;
  /** `-U`. */
  readonly debug: boolean;
  /** Where log lines go; never twice to one stream. */
  readonly logTargets: readonly LogTarget[];
  /** How log lines look, except for syslog. */
  readonly logFormat: LogFormat;
  /** Address or name to listen on; without one, every address. */
  readonly localHost: string | undefined;
  /** 0 to 65535; 0 lets the system choose. */
  readonly localPort: number;
  /** Address or name of the peer; without one, the peer is auto-detected. */
  readonly remoteHost: string | undefined;
  /** 1 to 65535. */
  readonly remotePort: number;
  /** Whether a known endpoint of a peer stays, whoever is heard. */
  readonly fixedRemote: boolean;
  /** Restricts the sockets and what names resolve to. */
  readonly family: FamilyChoice;
  /** The device that packets come from and go to. */
  readonly device: DeviceOptions;
  /** Addresses for the device; without any its link is left alone. */
  readonly ifconfig: readonly Prefix[];
  /** Bytes, 68 to 65535; only if {@linkcode ifconfig} has an address. */
  readonly mtu: number | undefined;
  /** What to run once the device is there. */
  readonly postUp: PostUpOptions | undefined;
  /** Tell apart senders that share keys and address, and starts of one. */
  readonly senderIds: SenderIdRange;
  /** 0 to 65535; the number of the connection. */
  readonly mux: number;
  /** Sequence numbers that the replay window spans; 0 checks nothing. */
  readonly windowSize: number;
  /** The own end of the tunnel. */
  readonly role: Role;
  /**
   * Enough for key and salt, unless {@linkcode kdPrf} is `null`. Without any
   * there is no connection but those that the cluster tells of.
   */
  readonly secrets: GivenSecrets | undefined;
  readonly cluster: ClusterOptions;
  readonly engine: EngineChoice;
  /** Threads that carry packets. */
  readonly workers: WorkersChoice;
  readonly offloads: ReadonlySet<OffloadName>;
}
