// Addresses and networks of a client that is to be added, which another one has.
import type { AddOptions } from "../config/fleet.ts";
import { routesOf } from "../fleet/record_text.ts";
import { formatNetwork, formatPrefix, withoutNetwork } from "../net/prefix.ts";
import type { FleetHost } from "./fleet_host.ts";

type NewClient = Pick<AddOptions, "address" | "name" | "routes">;

/**
 * What lies behind a client may lie behind two on purpose: there are two ways to
 * it. Its own address is that of one.
 * @throws if its address is that of another client
 */
export async function checkRoutes(
  { address, name, routes }: NewClient,
  { clients, tell }: Pick<FleetHost, "clients" | "tell">,
): Promise<void> {
  if (routes.length === 0) return;
  const owners = new Map<string, string>();
  for (const client of await clients.list()) {
    // Of its own name is said what there is to say.
    if (client.name === name || client.text === undefined) continue;
    for (const route of routesOf(client.text)) {
      owners.set(formatNetwork(route), client.name);
    }
  }
  const own = address && formatPrefix(withoutNetwork(address));
  for (const text of routes.map(formatNetwork)) {
    const owner = owners.get(text);
    if (owner === undefined) continue;
    if (text === own) {
      throw new Error(
        `${text} (--address) is that of '${owner}': choose another ` +
          `address, or remove that client first (anytun fleet remove ${owner})`,
      );
    }
    tell(
      `warning: ${text} (--route) is that of '${owner}' as well: it leads to ` +
        "one of them, and to the other when that one is removed",
    );
  }
}
