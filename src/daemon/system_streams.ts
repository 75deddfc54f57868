// Streams and sockets that a daemon tells its log and its state by.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { patientStream } from "../../ffi/process/standard_stream.ts";
import { deviceNumbers, statDescriptor } from "../../ffi/process/stat.ts";
import { UnixDatagram } from "../../ffi/net/unix_datagram.ts";
import type { LogFile } from "../log/outlet.ts";
import type { StreamName } from "../log/target.ts";
import type { NotifySocket, World } from "./world.ts";

/** As in syslog(3). */
const SYSLOG_SOCKET = "/dev/log";
/** For which a full syslog or stream may hold up the main thread. */
const LOG_TIMEOUT_MS = 100;

type WorldStreams = Pick<
  World,
  "journalStreams" | "openNotifySocket" | "openSyslog" | "stderr" | "stdout"
>;

export function systemStreams(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
): WorldStreams {
  return {
    stdout: patientStream(libc, 1, Deno.stdout, LOG_TIMEOUT_MS),
    stderr: patientStream(libc, 2, Deno.stderr, LOG_TIMEOUT_MS),
    journalStreams: journalStreams(libc, environment.get("JOURNAL_STREAM")),
    openSyslog: () => openSyslog(libc),
    openNotifySocket: () => openNotifySocket(libc, environment),
  };
}

/** Both where they go to one place, such as a terminal. */
export function sharedStreams(libc: ProcessLibc): readonly StreamName[] {
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
