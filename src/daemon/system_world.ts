// The world of the running program.
import { monotonicMicroseconds } from "../../ffi/clock.ts";
import { openAppend } from "../../ffi/process/append_file.ts";
import { effectiveUser } from "../../ffi/process/identity.ts";
import { keepInspectorShut } from "../../ffi/process/inspector.ts";
import { KeptFile, readKeptFile } from "../../ffi/process/kept_file.ts";
import { readBootId, workingDirectory } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { makeRunFolder } from "../../ffi/process/run_folder.ts";
import {
  readSecretFile,
  requireRepeatable,
} from "../../ffi/process/secret_file.ts";
import { StateFolder } from "../../ffi/process/state_folder.ts";
import { patientStream } from "../../ffi/process/standard_stream.ts";
import {
  deviceNumbers,
  statDescriptor,
  statName,
} from "../../ffi/process/stat.ts";
import { UnixDatagram } from "../../ffi/net/unix_datagram.ts";
import { sha256Text } from "../crypto/sha256.ts";
import { digestWith } from "../crypto/webcrypto.ts";
import type { LogFile } from "../log/outlet.ts";
import type { StreamName } from "../log/target.ts";
import { delay } from "../net/delay.ts";
import { every } from "../net/every.ts";
import { loadLookup, systemLookup } from "../net/system_lookup.ts";
import { CHAIN_FILE_LIMIT } from "../satp/key_chain_file.ts";
import { connectTcp } from "../sync/deno_tcp.ts";
import { choosePlane } from "../tunnel/choose_plane.ts";
import { foregroundParent, type Parent } from "./parent.ts";
import { LocalStreams } from "./local_streams.ts";
import type { NotifySocket } from "./supervisor.ts";
import { systemControl } from "./system_control.ts";
import type { World } from "./world.ts";

/** As in syslog(3). */
const SYSLOG_SOCKET = "/dev/log";
/** For which a full syslog or stream may hold up the main thread. */
const LOG_TIMEOUT_MS = 100;

/** Enough for tens of thousands of connections. */
const MAX_FILE_BYTES = 64 << 20;

/** @param given Without it, the program is in the foreground */
export function systemWorld(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  given?: Parent,
): World {
  // Log files are opened again after the daemon has moved to /.
  const folder = workingDirectory(libc);
  const absolute = (path: string) =>
    path.startsWith("/") ? path : `${folder}/${path}`;
  const streams = new LocalStreams(libc);
  const surroundings = {
    now: () => performance.timeOrigin + performance.now(),
    processors: navigator.hardwareConcurrency,
  };
  // Those that were read before: a daemon that runs must not wait for a pipe.
  const secretFiles = new Set<string>();
  const stdout = patientStream(libc, 1, Deno.stdout, LOG_TIMEOUT_MS);
  const stderr = patientStream(libc, 2, Deno.stderr, LOG_TIMEOUT_MS);
  const parent = given ?? foregroundParent(stderr, sharedStreams(libc));
  return {
    stdout,
    stderr,
    journalStreams: journalStreams(libc, environment.get("JOURNAL_STREAM")),
    openFile: (path) => openAppend(libc, absolute(path)),
    fileIdentity: (path) => fileIdentity(libc, absolute(path)),
    readSecretFile: (path) => {
      const file = absolute(path);
      if (secretFiles.has(file)) requireRepeatable(libc, file);
      secretFiles.add(file);
      return readSecretFile(libc, file, MAX_FILE_BYTES);
    },
    readKeyChain: (path) =>
      readKeptFile(libc, absolute(path), CHAIN_FILE_LIMIT),
    openKeptFile: (path) =>
      new KeptFile(libc, absolute(path), CHAIN_FILE_LIMIT),
    openSyslog: () => openSyslog(libc),
    now: () => Date.now(),
    pid: Deno.pid,
    delay,
    every,
    lookup: systemLookup,
    loadLookup,
    digest: digestWith(crypto.subtle),
    hash: sha256Text,
    random: (words) => void crypto.getRandomValues(words),
    // systemd.exec(5): several are separated by colons.
    stateDirectory: environment.get("STATE_DIRECTORY")?.split(":")[0],
    runtimeDirectory: environment.get("RUNTIME_DIRECTORY")?.split(":")[0],
    makeRunFolder: (path) => makeRunFolder(libc, path),
    bootId: () => readBootId(libc),
    openStateFolder: (path, owner) =>
      new StateFolder(libc, absolute(path), owner),
    listenTcp: (on) => streams.listenTcp(on),
    connectTcp,
    openUnixStreams: () => streams.openUnixStreams(),
    openOwners: () => streams.openOwners(),
    effectiveUser: () => effectiveUser(libc),
    elapsed: () => performance.now(),
    steadyNow: surroundings.now,
    monotonic: () => monotonicMicroseconds(libc),
    choosePlane: (settings, logger) =>
      choosePlane(settings, libc, surroundings, logger),
    onSignal(name, listener) {
      Deno.addSignalListener(name, listener);
      // Again, whatever the runtime does for a new listener.
      keepInspectorShut(libc);
      return () => Deno.removeSignalListener(name, listener);
    },
    control: systemControl(libc, absolute, parent.hasConfinedFiles),
    parent,
    openNotifySocket: () => openNotifySocket(libc, environment),
  };
}

/** Both where they go to one place, such as a terminal. */
function sharedStreams(libc: ProcessLibc): readonly StreamName[] {
  const [stdout, stderr] = ["standard output", "standard error"]
    .map((name, index) => statDescriptor(libc, index + 1, name).identity);
  return stdout === stderr ? ["stdout", "stderr"] : ["stderr"];
}

/**
 * Those that are the stream that systemd.exec(5) names, and were not led
 * elsewhere since.
 * @param named Device and inode, as decimal numbers
 */
function journalStreams(
  libc: ProcessLibc,
  named: string | undefined,
): readonly StreamName[] {
  const [, device = "", inode] = /^(\d+):(\d+)$/.exec(named ?? "") ?? [];
  if (inode === undefined) return [];
  const journal = [...deviceNumbers(BigInt(device)), inode].join(":");
  const streams = ["stdout", "stderr"] as const;
  return streams.filter((name, index) =>
    statDescriptor(libc, index + 1, name).identity === journal
  );
}

function fileIdentity(libc: ProcessLibc, path: string): string | undefined {
  try {
    return statName(libc, path).identity;
  } catch {
    return undefined;
  }
}

function openSyslog(libc: ProcessLibc): LogFile {
  const socket = new UnixDatagram(libc, SYSLOG_SOCKET, LOG_TIMEOUT_MS);
  return {
    write: (bytes) => socket.send(bytes),
    close: () => socket.close(),
  };
}

function openNotifySocket(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
): NotifySocket | undefined {
  const path = environment.get("NOTIFY_SOCKET");
  if (path === undefined) return undefined;
  const socket = new UnixDatagram(libc, path);
  const encoder = new TextEncoder();
  const micros = Number(environment.get("WATCHDOG_USEC") ?? 0);
  return {
    send: (text) => socket.send(encoder.encode(text)),
    watchdogMs: micros > 0 ? micros / 1000 : undefined,
  };
}
