// Files of this host that hold options, secrets and certificates.
import {
  isOpenToOthers,
  otherWriters,
  readConfigFile,
} from "../../ffi/process/config_file.ts";
import { readFile } from "../../ffi/process/file.ts";
import { readKeptFile } from "../../ffi/process/kept_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  effectiveGroup,
  effectiveUser,
  findGroup,
  findUser,
  type Identity,
} from "../../ffi/process/identity.ts";
import { folderNames } from "../../ffi/process/names.ts";
import { workingDirectory } from "../../ffi/process/process.ts";
import {
  isRepeatable,
  readSecretFile,
  readSecretInput,
  requireRepeatable,
} from "../../ffi/process/secret_file.ts";
import type { ReadConfigText } from "../config/config_file.ts";
import type { ConfigBytes, DaemonUser } from "../config/config_place.ts";
import { type HostFiles, PACKAGED_USER } from "../config/host_files.ts";
import { kindOf } from "../daemon/path_kind.ts";
import { CHAIN_FILE_LIMIT } from "../satp/key_chain_file.ts";

/** Bytes of a config file. All options, with comments, have some 20,000. */
const CONFIG_LIMIT = 1 << 18;

/** Standard input, which is kept: it can be read once. */
export class StandardInput {
  readonly #libc: ProcessLibc;
  #bytes: Uint8Array | undefined;

  /** @param bytes What another process has read of it */
  constructor(libc: ProcessLibc, bytes?: Uint8Array) {
    this.#libc = libc;
    this.#bytes = bytes;
  }

  /** Undefined until it was read. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  /** @returns A copy, which may be overwritten */
  read(): Uint8Array {
    this.#bytes ??= readSecretInput(this.#libc).bytes;
    return this.#bytes.slice();
  }

  /**
   * For a daemon that runs, whose standard input is nobody's by now.
   * @returns A copy, which may be overwritten
   * @throws if nothing was read at the start
   */
  again(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes.slice();
    throw new Error("it can be read at the start alone: restart the daemon");
  }
}

/**
 * What can be read once, as pipes and standard input, `start` reads. A daemon
 * that runs must not wait for others, and what it was started with may not be
 * what it was: `again` refuses that. Who only looks takes nothing away from a
 * start, and waits for nobody: `look` passes over it, and over credentials, which
 * systemd leaves while a service runs, for this alone.
 */
export type Purpose = "again" | "look" | "start";

/**
 * Relative paths start at the working directory of now, also later on.
 * @param readText Of who reads config files
 */
export function hostFiles(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  purpose: Purpose = "start",
  input: StandardInput = new StandardInput(libc),
  readText: ReadConfigText = unread,
): HostFiles {
  const folder = folderOfStart(libc);
  const absolute = (path: string) =>
    path.startsWith("/") ? path : `${folder}/${path.replace(/^(\.\/+)+/, "")}`;
  const readable = (path: string) => {
    const found = absolute(path);
    if (purpose !== "start") requireRepeatable(libc, found);
    return found;
  };
  const isPassedOver = (path: string) =>
    purpose === "look" &&
    (isCredential(libc, absolute(path)) || !isRepeatable(libc, absolute(path)));
  return {
    absolute,
    exists: (path) => exists(libc, path),
    namesIn: (path) => folderNames(libc, path),
    readConfig: (path) => readConfig(libc, path),
    readText,
    hasUser: (name) => findUser(libc, name) !== undefined,
    hasGroup: (name) => findGroup(libc, name) !== undefined,
    kindOf: (path) => kindOf(libc, absolute(path)),
    readFile: (path) =>
      isPassedOver(path) ? undefined : readSecretFile(libc, readable(path)),
    readStandardInput: () =>
      purpose === "look" ? undefined : {
        bytes: purpose === "again" ? input.again() : input.read(),
        isPublic: false,
      },
    readKeyChain: (path) =>
      readKeptFile(libc, absolute(path), CHAIN_FILE_LIMIT),
    readCertificates: (path) => readFile(libc, readable(path)),
    credentialsFolder: environment.get("CREDENTIALS_DIRECTORY"),
    httpProxy: HTTP_PROXIES.find((name) => environment.get(name)),
  };
}

/** One that is not there now; folders of those that run may not be seen. */
function isCredential(libc: ProcessLibc, path: string): boolean {
  return path.startsWith(CREDENTIALS) && !exists(libc, path);
}

/** Where systemd leaves credentials, in a folder for each service. */
const CREDENTIALS = "/run/credentials/";

/** Those that `fetch()` heeds for http, also to this host itself. */
const HTTP_PROXIES = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

function unread(): never {
  throw new Error("Cannot read a config file: its parser is not loaded");
}

/** One that was removed is found by its descriptor, as long as nobody moves. */
function folderOfStart(libc: ProcessLibc): string {
  try {
    return workingDirectory(libc);
  } catch {
    // It was removed, or may not be seen: only absolute paths lead anywhere.
    return ".";
  }
}

function readConfig(libc: ProcessLibc, path: string): ConfigBytes {
  const { bytes, status } = readConfigFile(libc, path, CONFIG_LIMIT);
  return {
    bytes,
    writers: otherWriters(status, effectiveUser(libc), effectiveGroup(libc)),
    isPublic(daemon) {
      const { uid, gid } = identityOf(libc, daemon);
      const users = [effectiveUser(libc), uid];
      // Also when root checks one.
      const packaged = findUser(libc, PACKAGED_USER)?.gid;
      const groups = [effectiveGroup(libc), gid, packaged];
      const known = (ids: readonly (number | undefined)[]) =>
        ids.filter((id) => id !== undefined);
      return isOpenToOthers(status, known(users), known(groups));
    },
  };
}

/** Undefined as far as there is nobody of these names. */
function identityOf(
  libc: ProcessLibc,
  { user, group }: DaemonUser,
): Partial<Identity> {
  if (user === undefined) return {};
  const identity = findUser(libc, user);
  const gid = group === undefined ? identity?.gid : findGroup(libc, group);
  return { ...identity, ...(gid === undefined ? {} : { gid }) };
}

function exists(libc: ProcessLibc, path: string): boolean {
  return kindOf(libc, path) !== "none";
}
