// Names of network devices.

import { TunTapError } from "./errors.ts";

/** IFNAMSIZ, the zero byte at the end included. */
export const NAME_SIZE = 16;

const MAX_LENGTH = NAME_SIZE - 1;

/**
 * dev_valid_name() and dev_alloc_name() of the kernel (net/core/dev.c) refuse
 * such names with a bare EINVAL; printable ASCII is our own rule.
 * @throws {TunTapError} `bad-name`, when it is neither a name nor a pattern
 * with one `%d`.
 */
export function checkDeviceName(name: string): void {
  const fault = faultOf(name);
  if (fault !== undefined) {
    throw new TunTapError(
      "bad-name",
      `Cannot use the device name ${JSON.stringify(name)}: ${fault}`,
    );
  }
}

function faultOf(name: string): string | undefined {
  if (name.length === 0) return "it is empty";
  if (!/^[\x21-\x7e]*$/.test(name)) {
    return "it must be printable ASCII without spaces";
  }
  if (name.length > MAX_LENGTH) {
    return `it has ${name.length} characters, at most ${MAX_LENGTH} are allowed`;
  }
  if (name === "." || name === "..") return "it is the name of a folder";
  if (/[/:]/.test(name)) return "it must not contain '/' or ':'";
  if (name.replace("%d", "").includes("%")) {
    return "'%' is allowed only once, as '%d', the place of the number";
  }
  return undefined;
}
