/**
 * The options of the daemon as settings of its tunnel.
 *
 * @module
 */
import type { AnytunOptions } from "../config/anytun.ts";
import type { TunnelSettings } from "../tunnel/settings.ts";

/** @param senderIds Those of this run of the daemon, 1 to 256 */
export function tunnelSettings(
  options: AnytunOptions,
  senderIds: readonly number[],
): TunnelSettings {
  const { cipher, kdPrf, authAlgo, tagLength } = options;
  const { device, mux, fixedRemote, engine, workers, offloads } = options;
  return {
    params: { cipher, kdPrf, authAlgo, tagLength },
    deviceType: device.type,
    ...{ mux, senderIds, fixedRemote, engine, workers, offloads },
  };
}
