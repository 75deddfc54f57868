import type { LabHost } from "./host.ts";

/**
 * Datagrams that have come to the UDP sockets at a port, but found them full:
 * where the machine is busy a script may not read for long.
 */
export async function droppedAt(host: LabHost, port: number): Promise<number> {
  const tables = await host.exec("cat", "/proc/net/udp", "/proc/net/udp6");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return tables.split("\n").map((row) => row.trim().split(/\s+/))
    .filter(([, address]) => address?.endsWith(local))
    .reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
