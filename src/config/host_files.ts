// Files of this host that options are in, or lead to, and what else their
// meaning depends on.
import type { ConfigFiles } from "./config_place.ts";
import type { Warn } from "./fault.ts";
import type { Runtime } from "./version.ts";

/**
 * Whom the units of the package run daemons as; its group may read the files of
 * /etc/anytun.
 */
export const PACKAGED_USER = "anytun";

export interface SecretBytes {
  /** Overwritten once they have been understood. */
  readonly bytes: Uint8Array;
  /** Whether others have access to the file. */
  readonly isPublic: boolean;
}

export interface KeyChainBytes extends SecretBytes {
  /** Whether root alone, and not this user, could change who has access. */
  readonly isRoots: boolean;
}

/**
 * Where options lie that are not among the arguments: config files, secrets and
 * certificates.
 */
export interface HostFiles extends ConfigFiles {
  /**
   * @returns undefined where it could be read once, as a pipe, and this is no
   * start: then nobody reads it
   * @throws if it cannot be read, or is longer than any secret
   */
  readFile(path: string): SecretBytes | undefined;
  /** See {@linkcode readFile}. */
  readStandardInput(): SecretBytes | undefined;
  /** @throws if it cannot be read, or cannot be replaced as a whole */
  readKeyChain(path: string): KeyChainBytes;
  /** What everybody may know. @throws if it cannot be read, or is huge */
  readCertificates(path: string): Uint8Array;
  /** `$CREDENTIALS_DIRECTORY`: where systemd leaves credentials as files. */
  readonly credentialsFolder: string | undefined;
  /** The variable that leads requests without TLS to a proxy, if one does. */
  readonly httpProxy: string | undefined;
}

/** What the meaning of options depends on. */
export interface Surroundings {
  readonly runtime: Runtime;
  readonly files: HostFiles;
  readonly warn: Warn;
}
