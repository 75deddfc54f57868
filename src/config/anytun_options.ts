/**
 * What the program `anytun` is told to do.
 *
 * @module
 */
import type { LogTarget } from "../log/target.ts";
import type { Prefix } from "../net/prefix.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { AuthAlgo, CipherName, KdPrfName, Role } from "../satp/params.ts";

/** The device to open (SATP section 11). */
export interface DeviceOptions {
  /** At most 15 bytes; without one the kernel chooses. */
  readonly name?: string;
  readonly type: "tun" | "tap";
}

/**
 * Where master key and salt come from (SATP section 2.4): key and salt where
 * they are given, the passphrase for what is missing.
 */
export interface Secrets {
  readonly passphrase?: string;
  /** As long as the key derivation wants it: 16, 24 or 32 bytes. */
  readonly key?: Uint8Array;
  /** 14 bytes. */
  readonly salt?: Uint8Array;
}

/** Validated options of `anytun` (CLI section 2). */
export interface AnytunOptions {
  /** `-D` or `-U`: do not go to the background. */
  readonly foreground: boolean;
  /** `-U`. */
  readonly debug: boolean;
  readonly logTargets: readonly LogTarget[];
  /** Address or name to listen on; without one, every address. */
  readonly localHost?: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly localPort: number;
  /** Address or name of the peer; without one, the peer is auto-detected. */
  readonly remoteHost?: string;
  /** 1 to 65535. */
  readonly remotePort: number;
  readonly family: FamilyChoice;
  readonly device: DeviceOptions;
  /** Addresses to give to the device; with none its link is left alone. */
  readonly ifconfig: readonly Prefix[];
  /** Bytes, 68 to 65535; only if {@linkcode ifconfig} has an address. */
  readonly mtu?: number;
  readonly senderId: number;
  readonly mux: number;
  /** Sequence numbers that the replay window spans; 0 checks nothing. */
  readonly windowSize: number;
  readonly role: Role;
  /** What is in force, so `null` if nothing needs a key (SATP section 2.3). */
  readonly kdPrf: KdPrfName;
  readonly cipher: CipherName;
  readonly authAlgo: AuthAlgo;
  /** Bytes, 0 to 20; 0 without an authentication algorithm. */
  readonly tagLength: number;
  /** Enough for key and salt unless {@linkcode kdPrf} is `null`. */
  readonly secrets: Secrets;
}
