// Records of clients, from their options (sync section 6).
import type { ClientOptions } from "../config/client_options.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import { Resolver } from "../net/resolver.ts";
import { masterSecrets } from "../satp/secrets.ts";
import {
  configRecords,
  configText,
  hangsOriginals,
} from "../sync/client_config.ts";
import type { World } from "./world.ts";

export type RecordsWorld = Pick<World, "delay" | "digest" | "lookup">;

/**
 * The text that a control daemon serves.
 * @throws if the name of a peer has no address
 */
export async function recordsOf(
  clients: readonly ClientOptions[],
  world: RecordsWorld,
  logger: Logger,
): Promise<string> {
  let text = "";
  for (const client of clients) {
    text += await recordsOfOne(client, world, logger);
  }
  return text;
}

async function recordsOfOne(
  options: ClientOptions,
  world: RecordsWorld,
  logger: Logger,
): Promise<string> {
  const { mux, role, windowSize, kdPrf, routes } = options;
  for (const route of routes.filter(hangsOriginals)) {
    logger.warning(
      `route ${formatPrefix(route)} (--route) makes anytun 0.3.8 hang: ` +
        "not for its clusters",
    );
  }
  const secrets = await masterSecrets(kdPrf, options.secrets, world.digest);
  const endpoint = await endpointOf(options, world, logger);
  const client = { mux, role, secrets, windowSize, endpoint, routes };
  return configText(configRecords(client));
}

async function endpointOf(
  { remoteHost: host, remotePort: port, family }: ClientOptions,
  { lookup, delay }: RecordsWorld,
  logger: Logger,
): Promise<Endpoint> {
  if (host === undefined) {
    const address = family === "6"
      ? { family: 6, bytes: new Uint8Array(16) } as const
      : { family: 4, bytes: new Uint8Array(4) } as const;
    return { address, port };
  }
  const resolver = new Resolver(lookup, delay, logger);
  try {
    const [favourite] = await resolver.resolveOnce({ host, port, family });
    return favourite;
  } catch (cause) {
    throw new Error(
      `Cannot resolve '${host}' (--remote-host): ${reasonOf(cause)}`,
      { cause },
    );
  }
}
