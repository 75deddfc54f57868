// The post-up script (SATP section 11).
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { Service } from "./lifecycle.ts";
import type { ProcessControl, ProgramEnd } from "./process_control.ts";
import { unlessStopped } from "./stop.ts";

const NODE = "/dev/net/tun";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Waited for only if it is required. */
export function postUpScript(
  options: AnytunOptions,
  device: () => DeviceHandle,
  control: ProcessControl,
  logger: Logger,
): Service {
  return {
    name: "post-up script",
    async start({ stop }) {
      const done = runPostUp(options, device(), control, logger);
      if (options.postUp?.required) await unlessStopped(done, stop);
      else done.catch((error) => logger.error(reasonOf(error)));
    },
  };
}

/** @throws if the script fails and is required */
export async function runPostUp(
  options: AnytunOptions,
  device: DeviceHandle,
  control: ProcessControl,
  logger: Logger,
): Promise<void> {
  if (options.postUp === undefined) return;
  const { script, required } = options.postUp;
  logger.notice(`executing post-up script '${script}'`);
  const end = await control.run({
    path: script,
    args: [device.name, NODE],
    env: {
      PATH,
      ANYTUN_DEVICE: device.name,
      ANYTUN_TYPE: options.device.type,
      ANYTUN_ADDRESSES: options.ifconfig.map(formatPrefix).join(" "),
      ANYTUN_MTU: String(device.mtu),
    },
  });
  const text = `script '${script}' ${endText(end)}`;
  const succeeded = end.kind === "exit" && end.status === 0;
  if (required && !succeeded) throw new Error(`${text} (--post-up-required)`);
  if (end.kind === "exec error") logger.error(text);
  else logger.notice(text);
}

/** In the words of the original, which scripts may know. */
function endText(end: ProgramEnd): string {
  switch (end.kind) {
    case "exit":
      return `returned ${end.status}`;
    case "signal":
      return `terminated after signal ${end.signal}`;
    case "exec error":
      return `exec() error: ${end.reason}`;
  }
}
