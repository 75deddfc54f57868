// The run of --announce-script that withdraws what a daemon has left.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { endChild, spawn, waitForEnd } from "../../ffi/process/spawn.ts";
import { PATIENCE_MS } from "../daemon/announce_script.ts";
import type { ProgramStart } from "../daemon/process_control.ts";
import { delay } from "../net/delay.ts";

const STDOUT = 1;

/**
 * It writes to standard output. One that hangs is ended, with what it has started.
 * @returns The text that says that it has done its duty
 * @throws if it has not
 */
export async function runWithdrawScript(
  libc: ProcessLibc,
  { path, args, env }: ProgramStart,
  patience: number = PATIENCE_MS,
): Promise<string> {
  const pid = spawn(libc, {
    ...{ path, argv: [path, "withdraw", ...args], newSession: true },
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...{ descriptors: [], output: STDOUT },
  });
  const ended = waitForEnd(libc, pid);
  const isOver = new AbortController();
  const isLate = await Promise.race([
    ended.then(() => false),
    delay(patience, isOver.signal).then(() => true, () => true),
  ]);
  isOver.abort();
  // All of its session (kill(2)).
  if (isLate) endChild(libc, -pid, true);
  const end = await ended;
  const how = isLate
    ? `was ended after ${patience / 1000} s`
    : end.kind === "signal"
    ? `was killed by signal ${end.signal}`
    : `returned ${end.status}`;
  const text = `script '${path} withdraw' ${how}`;
  if (!isLate && end.kind === "exit" && end.status === 0) return text;
  throw new Error(`${text} (--announce-script)`);
}
