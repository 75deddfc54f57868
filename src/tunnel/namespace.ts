// The network namespace of the device, where it is another one.
import { SystemError } from "../../ffi/errno.ts";
import type { Libc } from "../../ffi/libc.ts";
import { namespaceFault, NetworkNamespace } from "../../ffi/net/namespace.ts";
import type { TunnelSettings } from "./settings.ts";

/**
 * @param opened Closes it, when the device is closed
 * @throws if there is none, or it may not be entered
 */
export function openNamespace(
  libc: Libc,
  { namespace: path }: TunnelSettings,
  opened: DisposableStack,
): NetworkNamespace | undefined {
  if (path === undefined) return undefined;
  try {
    const namespace = opened.use(new NetworkNamespace(libc, path));
    // Now, and not in the middle of something else.
    namespace.inside(() => {});
    return namespace;
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    const reason = namespaceFault(cause);
    throw new Error(
      `Cannot use the network namespace ${path} (--netns): ${reason}`,
      { cause },
    );
  }
}
