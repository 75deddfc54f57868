// Scripts of administrators: what they are told, and what they say (SATP section
// 11).
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type {
  ProcessControl,
  ProgramEnd,
  ProgramStart,
  RunningProgram,
} from "./process_control.ts";
import type { World } from "./world.ts";

const NODE = "/dev/net/tun";
export const PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Lines of one script. */
export const OUTPUT_LIMIT = { burst: 50, perSecond: 5 };
/** How often to read what a script says, while it runs and afterwards. */
export const READ_MS = 100;
const READ_LATER_MS = 1000;
/** Reads at a time; a script that says more waits for the next time. */
const MOST_READS = 64;

export type ScriptOptions = Pick<
  AnytunOptions,
  "device" | "ifconfig" | "netns"
>;

export interface ScriptWorld
  extends Pick<World, "delay" | "elapsed" | "every"> {
  readonly control: Pick<ProcessControl, "keep" | "run">;
}

export function scriptStart(
  path: string,
  options: ScriptOptions,
  device: DeviceHandle,
): ProgramStart {
  return {
    path,
    args: [device.name, NODE],
    env: {
      PATH,
      ANYTUN_DEVICE: device.name,
      ANYTUN_TYPE: options.device.type,
      ANYTUN_ADDRESSES: options.ifconfig.map(formatPrefix).join(" "),
      ANYTUN_MTU: String(device.mtu),
      ...(options.netns === undefined ? {} : { ANYTUN_NETNS: options.netns }),
    },
  };
}

/**
 * Logs what a script says, also what processes say that it leaves behind.
 * @returns How it ended; all that it has said until then is logged
 */
export async function followScript(
  path: string,
  program: RunningProgram,
  { elapsed, every }: Pick<ScriptWorld, "elapsed" | "every">,
  logger: Logger,
): Promise<ProgramEnd> {
  const limited = new RateLimitedLog(logger, OUTPUT_LIMIT, elapsed);
  const whole = new AbortController();
  const read = () => {
    for (let count = 0; count < MOST_READS && !whole.signal.aborted; count++) {
      const lines = program.readLines();
      if (lines === undefined) whole.abort();
      else if (lines.length === 0) break;
      for (const line of lines ?? []) {
        if (line === "") continue;
        const name = `script '${path}'`;
        limited.write("notice", name, () => `${name}: ${line}`);
      }
    }
    limited.flush();
  };
  const ended = new AbortController();
  void every(READ_MS, read, ended.signal);
  const end = await program.ended;
  ended.abort();
  read();
  void every(READ_LATER_MS, read, whole.signal)
    .then(() => program[Symbol.dispose]());
  return end;
}

/** In the words of the original, which scripts may know. */
export function endText(path: string, end: ProgramEnd): string {
  switch (end.kind) {
    case "exit":
      return `script '${path}' returned ${end.status}`;
    case "signal":
      return `script '${path}' terminated after signal ${end.signal}`;
    case "exec error":
      return `script '${path}' exec() error: ${end.reason}`;
  }
}
