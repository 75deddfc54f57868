// Limits of a daemon that is executed in the background, from its first line
// on: the capabilities and places that its options take.
import { CAP } from "../../ffi/flags.ts";
import { readFile } from "../../ffi/process/file.ts";
import {
  type InheritedLimits,
  limitPrograms,
} from "../../ffi/process/inherited_limits.ts";
import { effectiveUser } from "../../ffi/process/identity.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { makeRunFolder } from "../../ffi/process/run_folder.ts";
import { statOrNone, statPath } from "../../ffi/process/stat.ts";
import { makeStateFolder } from "../../ffi/process/state_folder.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import { DEFAULT_FLEET_FOLDER, NO_STATE_DIR } from "../config/connection.ts";
import type { ControldOptions } from "../config/controld.ts";
import { isUnixSocket, type PlaceName } from "../net/place.ts";
import { DEFAULT_FOLDER } from "./kept_numbers.ts";
import { type StatusSocket, statusSocketOf } from "./status_socket.ts";
import { folderOf, logFolders, type SandboxedOptions } from "./sandbox.ts";

/** The program's own file, those that it reads, and folders on the way. */
const ALWAYS = [CAP.DAC_READ_SEARCH];
const NULL_DEVICE = "/dev/null";
const TUN_DEVICE = "/dev/net/tun";

export interface StartLimits extends InheritedLimits {
  /** To be made before, if there is none: nothing can be made beside it. */
  readonly stateFolder: string | undefined;
  /** Likewise, of sockets. */
  readonly runFolder: string | undefined;
}

export interface StartSurroundings {
  /** Where the service manager has a program keep its state, if it says so. */
  readonly stateDirectory: string | undefined;
  /** Where it has a program keep its sockets, likewise. */
  readonly runtimeDirectory: string | undefined;
  /** The first port that takes no capability. */
  readonly firstFreePort: number;
  /** Whether a folder is there that belongs to another user. */
  readonly isOthers: (folder: string) => boolean;
}

const FREE_PORTS = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

export function firstFreePort(libc: ProcessLibc): number {
  try {
    return Number(new TextDecoder().decode(readFile(libc, FREE_PORTS)));
  } catch {
    // Without /proc none is taken for free: the capability stays.
    return Infinity;
  }
}

export function isOthersFolder(libc: ProcessLibc, path: string): boolean {
  const status = statOrNone(() => statPath(libc, path));
  return status !== undefined && status.owner !== effectiveUser(libc);
}

/**
 * @param program Where its modules come from, as a URL
 * @returns Whether no thread of the daemon will change other files
 */
export function limitDaemon(
  libc: ProcessLibc,
  { stateFolder, runFolder, ...limits }: StartLimits,
  program: string,
): boolean {
  // To load its workers from elsewhere, the runtime writes to its caches.
  if (!program.startsWith("file:")) return false;
  // The daemon says what is wrong with it, if it is of no use.
  if (stateFolder !== undefined) makeStateFolder(libc, stateFolder);
  if (runFolder !== undefined) tryRunFolder(libc, runFolder);
  return limitPrograms(libc, limits) === undefined;
}

function tryRunFolder(libc: ProcessLibc, path: string): void {
  try {
    makeRunFolder(libc, path);
  } catch {
    // Likewise.
  }
}

type StartOptions = SandboxedOptions & {
  readonly username: string | undefined;
};

/** @returns undefined where a script is to have what it had before */
export function anytunLimits(
  options: AnytunOptions,
  surroundings: StartSurroundings,
): StartLimits | undefined {
  const { announce, postUp, downScript } = options;
  const script = postUp ?? downScript ?? announce?.script;
  if (script !== undefined) return undefined;
  const { cluster: { syncServer, syncServers }, keyChain, stateDir } = options;
  const path = stateDir ?? surroundings.stateDirectory ?? DEFAULT_FOLDER;
  const stateFolder = path === NO_STATE_DIR ? undefined : path;
  const status = statusSocketOf(options, surroundings.runtimeDirectory);
  return limitsOf(options, surroundings, {
    capabilities: [
      CAP.NET_ADMIN,
      ...(options.netns === undefined ? [] : [CAP.SYS_ADMIN]),
      // Before Linux 5.7 (sock_bindtoindex()).
      ...(options.sockets.device === undefined ? [] : [CAP.NET_RAW]),
    ],
    devices: [TUN_DEVICE],
    servers: syncServer === undefined ? [] : [syncServer],
    others: syncServers,
    ports: [options.localPort, options.metrics?.port ?? 0],
    keyChain,
    status,
    stateFolder,
    // Otherwise it is the own user's, or of no use.
    hasOthersFolder: stateDir !== undefined,
  });
}

export function controldLimits(
  options: ControldOptions,
  surroundings: StartSurroundings,
): StartLimits {
  const { source, stateDir } = options;
  const path = stateDir ?? surroundings.stateDirectory ?? DEFAULT_FLEET_FOLDER;
  const isKept = source !== undefined && path !== NO_STATE_DIR;
  return limitsOf(options, surroundings, {
    ...{ capabilities: [], devices: [], others: [], ports: [] },
    ...{ keyChain: undefined, status: undefined },
    stateFolder: isKept ? path : undefined,
    hasOthersFolder: isKept && stateDir !== undefined,
    servers: [options.controlHost],
  });
}

interface Kind {
  readonly capabilities: readonly number[];
  readonly devices: readonly string[];
  /** Where it listens for streams. */
  readonly servers: readonly PlaceName[];
  /** What it connects to. */
  readonly others: readonly PlaceName[];
  readonly ports: readonly number[];
  readonly keyChain: string | undefined;
  readonly status: StatusSocket | undefined;
  readonly stateFolder: string | undefined;
  readonly hasOthersFolder: boolean;
}

function limitsOf(
  options: StartOptions,
  { firstFreePort, isOthers }: StartSurroundings,
  kind: Kind,
): StartLimits {
  const { stateFolder, keyChain, servers, status } = kind;
  const { pidFile, username, chroot } = options;
  const appended = logFolders(options);
  const sockets = [...servers, ...kind.others].filter(isUnixSocket);
  const runFolder = status?.folder;
  const named = runFolder === undefined ? status?.path : undefined;
  const files = [pidFile, keyChain, named, ...servers.map(pathOf)]
    .filter((path) => path !== undefined);
  const written = [files.map(folderOf), stateFolder ?? [], runFolder ?? []]
    .flat();
  // Whose they are, and will be after a rotation, is not known.
  const hasOthersFiles = appended.length > 0 || files.length > 0 ||
    sockets.length > 0 || kind.hasOthersFolder || username !== undefined ||
    // The package gives /run/anytun to the user of its units.
    runFolder !== undefined && isOthers(runFolder);
  const ports = [...kind.ports, ...servers.map(portOf)];
  const isLow = ports.some((port) => port > 0 && port < firstFreePort);
  return {
    capabilities: [
      ...ALWAYS,
      ...kind.capabilities,
      ...(hasOthersFiles ? [CAP.DAC_OVERRIDE, CAP.FOWNER] : []),
      ...(isLow ? [CAP.NET_BIND_SERVICE] : []),
      ...(username === undefined ? [] : [CAP.SETUID, CAP.SETGID, CAP.CHOWN]),
      ...(chroot === undefined ? [] : [CAP.SYS_CHROOT]),
    ],
    places: { appended, written, devices: [NULL_DEVICE, ...kind.devices] },
    ...{ stateFolder, runFolder },
  };
}

function pathOf(place: PlaceName): string | undefined {
  return isUnixSocket(place) ? place.path : undefined;
}

function portOf(place: PlaceName): number {
  return isUnixSocket(place) ? 0 : place.port;
}
