// Addresses and networks of a client that is to be added, which another one has.
import type { AddOptions } from "../config/fleet.ts";
import { routesOf } from "../fleet/record_text.ts";
import { formatPrefix, isOneAddress } from "../net/prefix.ts";
import type { FleetHost } from "./fleet_host.ts";

type NewClient = Pick<AddOptions, "name" | "routes">;

/**
 * A network may be that of two on purpose: there are two ways into it. An address
 * is that of one.
 * @throws if an address is that of another client
 */
export async function checkRoutes(
  { name, routes }: NewClient,
  { clients, tell }: Pick<FleetHost, "clients" | "tell">,
): Promise<void> {
  if (routes.length === 0) return;
  const owners = new Map<string, string>();
  for (const client of await clients.list()) {
    // Of its own name is said what there is to say.
    if (client.name === name || client.text === undefined) continue;
    for (const route of routesOf(client.text)) {
      owners.set(formatPrefix(route), client.name);
    }
  }
  for (const route of routes) {
    const text = formatPrefix(route);
    const owner = owners.get(text);
    if (owner === undefined) continue;
    if (isOneAddress(route)) {
      throw new Error(
        `${text} (--address, --route) is that of '${owner}': choose another ` +
          `address, or remove that client first (anytun fleet remove ${owner})`,
      );
    }
    tell(
      `warning: ${text} (--route) is that of '${owner}' as well: it leads to ` +
        "one of them, and to the other when that one is removed",
    );
  }
}
