// The program `anytun-health`: whether a daemon may have traffic, for scripts.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  EXIT_NO_DAEMON,
  HEALTH_EXITS,
  readHealthCommandLine,
} from "../config/health_program.ts";
import { LocalStreams } from "../daemon/local_streams.ts";
import { visible } from "../log/visible.ts";
import { reasonOf } from "../log/reason.ts";
import { delay } from "../net/delay.ts";
import { askHealth } from "../status/client.ts";
import { fitnessLine } from "../status/report.ts";
import { oneSocket, whyNoAnswer } from "./daemon_sockets.ts";
import { printCommandLine, printTo } from "./print.ts";

export async function health(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const commandLine = readHealthCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  let path: string;
  try {
    path = oneSocket(commandLine.options.name, libc);
  } catch (error) {
    return noDaemon(reasonOf(error));
  }
  await using streams = new LocalStreams(libc);
  try {
    const stream = streams.openUnixStreams().connect({ path });
    const health = await askHealth(stream, delay);
    printTo(Deno.stdout, `${visible(fitnessLine(health))}\n`);
    return HEALTH_EXITS[health.state];
  } catch (error) {
    return noDaemon(whyNoAnswer(path, error));
  }
}

function noDaemon(why: string): number {
  printTo(Deno.stderr, `anytun-health: ${visible(why)}\n`);
  return EXIT_NO_DAEMON;
}
