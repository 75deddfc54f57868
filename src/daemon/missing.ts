// Parts that a tunnel lacks, once it is set up, before it can carry anything.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import { Cause, CAUSE_WORDS } from "../tunnel/causes.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

/** How long names and addresses of numbers take at most, in ms. */
const SOON_MS = 500;
/** How long a script has to set up the device. */
const SCRIPT_MS = 5000;

type MissingOptions = Pick<
  AnytunOptions,
  "device" | "postUp" | "remoteHost"
>;

interface MissingContext {
  readonly device: () => DeviceHandle;
  /** Whether there is a connection to the peer. */
  readonly isConnected: () => boolean;
  readonly logger: Logger;
}

export function missingParts(
  options: MissingOptions,
  context: MissingContext,
  { delay }: Pick<World, "delay">,
): Service {
  return {
    name: "missing parts",
    async run(stop) {
      const { logger } = context;
      const wait = options.postUp === undefined ? SOON_MS : SCRIPT_MS;
      await delay(wait, stop).catch(() => {});
      if (stop.aborted) return;
      for (const { cause, text } of missing(options, context)) {
        logger.notice(`still missing: ${text}`, { cause });
      }
    },
  };
}

function* missing(
  { device: { type }, remoteHost }: MissingOptions,
  { device, isConnected }: MissingContext,
): Generator<{ readonly cause: Cause; readonly text: string }> {
  if (remoteHost !== undefined && !isConnected()) {
    const text = `an address of '${remoteHost}' (--remote-host)`;
    yield { cause: Cause.NOT_RESOLVED, text };
  }
  const { name } = device();
  const state = stateOf(device());
  if (state?.isUp === false) {
    const words = CAUSE_WORDS[Cause.DEVICE_DOWN];
    const text = `the device ${name} ${words} (--ifconfig, or ip link set ` +
      `${name} up in a --post-up-script)`;
    yield { cause: Cause.DEVICE_DOWN, text };
  }
  // A bridge has those of its ports.
  if (state?.hasAddress === false && type === "tun") {
    const words = CAUSE_WORDS[Cause.NO_ADDRESS];
    const text = `the device ${name} ${words} (--ifconfig, or ip address add ` +
      `… dev ${name} in a --post-up-script)`;
    yield { cause: Cause.NO_ADDRESS, text };
  }
}

/** It may be gone by now, or elsewhere. */
function stateOf(device: DeviceHandle) {
  try {
    return device.state();
  } catch {
    return undefined;
  }
}
