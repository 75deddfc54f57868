// The post-up script (SATP section 11).
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { Service } from "./lifecycle.ts";
import {
  endText,
  followScript,
  type ScriptOptions,
  scriptStart,
  type ScriptWorld,
} from "./script.ts";
import { unlessStopped } from "./stop.ts";

type PostUpOptions = ScriptOptions & Pick<AnytunOptions, "postUp">;

/** Waited for only if it is required. */
export function postUpScript(
  options: PostUpOptions,
  device: () => DeviceHandle,
  world: ScriptWorld,
  logger: Logger,
): Service {
  return {
    name: "post-up script",
    async start({ stop }) {
      const done = runPostUp(options, device(), world, logger);
      if (options.postUp?.required) await unlessStopped(done, stop);
      else done.catch((error) => logger.error(reasonOf(error)));
    },
  };
}

/** @throws if the script fails and is required */
export async function runPostUp(
  options: PostUpOptions,
  device: DeviceHandle,
  world: ScriptWorld,
  logger: Logger,
): Promise<void> {
  if (options.postUp === undefined) return;
  const { script, required } = options.postUp;
  logger.notice(`executing post-up script '${script}'`);
  const start = scriptStart(script, options, device);
  const program = device.inside(() => world.control.run(start));
  const end = await followScript(script, program, world, logger);
  const text = endText(script, end);
  const succeeded = end.kind === "exit" && end.status === 0;
  if (required && !succeeded) throw new Error(`${text} (--post-up-required)`);
  if (end.kind === "exec error") logger.error(text);
  else logger.notice(text);
}
