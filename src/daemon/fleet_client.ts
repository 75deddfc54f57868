// One client of a fleet, from what a store has of it to its records.
import { clientInText } from "../config/client_text.ts";
import { reasonOf } from "../log/reason.ts";
import { ANY_IPV4, ANY_IPV6, parseAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { ClientOptions } from "../config/client_options.ts";
import { CHAIN_FILE_LIMIT, parseChainFile } from "../satp/key_chain_file.ts";
import { masterSecrets, wipeSecrets } from "../satp/secrets.ts";
import { configRecords } from "../sync/client_config.ts";
import { encodeRecord } from "../sync/encode.ts";
import type { SyncRecord } from "../sync/record.ts";
import { MAX_CLIENT_BYTES } from "../fleet/layout.ts";
import { ServedChain } from "./served_chain.ts";
import type { World } from "./world.ts";

/** What a store has of a client. */
export interface FoundClient {
  readonly text: string;
  readonly chain: string | undefined;
  /** Grows with the age of the store: of two clients the older has less. */
  readonly created: number;
}

export interface FleetClient {
  readonly name: string;
  readonly mux: number;
  readonly created: number;
  readonly chain: ServedChain | undefined;
  /** As they were served last: the connection, and its routes. */
  connection: string;
  readonly routes: readonly string[];
}

export type FleetWorld = Pick<World, "digest" | "now" | "runtime">;

/**
 * @param path Its key, for messages
 * @throws what is wrong with it; never a secret
 */
export async function fleetClient(
  name: string,
  path: string,
  found: FoundClient,
  { digest, now, runtime }: FleetWorld,
): Promise<FleetClient> {
  const bytes = new TextEncoder().encode(found.text);
  if (bytes.length > MAX_CLIENT_BYTES) {
    throw new Error(`${path}: it has more than ${MAX_CLIENT_BYTES} bytes`);
  }
  const hasChain = found.chain !== undefined;
  const options = clientInText({ path, bytes, hasChain }, runtime, () => {});
  bytes.fill(0);
  const { kdPrf, mux, role, windowSize, routes } = options;
  const secrets = await masterSecrets(kdPrf, options.secrets, digest);
  const endpoint = endpointOf(options);
  const client = { mux, role, secrets, windowSize, endpoint, routes };
  const [connection, ...others] = configRecords(client);
  const chain = chainOf(found, path, connection, now());
  const { created } = found;
  const text = connection === undefined ? "" : encodeRecord(connection);
  wipeSecrets(secrets);
  return {
    ...{ name, mux, created, chain },
    connection: chain?.text(now()) ?? text,
    routes: others.map((record) => encodeRecord(record)),
  };
}

/** It was read as an address. */
function endpointOf(
  { remoteHost = "", remotePort: port, family }: ClientOptions,
): Endpoint {
  const any = family === "6" ? ANY_IPV6 : ANY_IPV4;
  return { address: parseAddress(remoteHost) ?? any, port };
}

function chainOf(
  { chain }: FoundClient,
  path: string,
  connection: SyncRecord | undefined,
  now: number,
): ServedChain | undefined {
  if (chain === undefined || connection?.command !== "connection") {
    return undefined;
  }
  try {
    const bytes = new TextEncoder().encode(chain);
    if (bytes.length > CHAIN_FILE_LIMIT) throw new Error("it is too long");
    const link = parseChainFile(bytes);
    bytes.fill(0);
    try {
      return new ServedChain(link, connection, undefined, now);
    } finally {
      link.key.fill(0);
    }
  } catch (cause) {
    throw new Error(`${path}/chain: ${reasonOf(cause)}`, { cause });
  }
}
