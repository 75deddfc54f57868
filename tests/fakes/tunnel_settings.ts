/**
 * Settings of a tunnel for tests: the usual parameters, and nothing special.
 *
 * @module
 */
import type { TunnelSettings } from "../../src/tunnel/settings.ts";

/** Settings that need no library and no offload, save for what is given. */
export function tunnelSettings(
  given: Partial<TunnelSettings> = {},
): TunnelSettings {
  return {
    params: {
      cipher: "aes-ctr-128",
      kdPrf: "aes-ctr-128",
      authAlgo: "sha1",
      tagLength: 10,
    },
    deviceType: "tun",
    mux: 0,
    routing: false,
    anySource: false,
    senderIds: [0],
    roaming: true,
    allowWrap: false,
    engine: "builtin",
    workers: 1,
    offloads: new Set(),
    ...given,
  };
}
