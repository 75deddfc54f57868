// Keys of a fleet's records (docs/fleet.md, "Records").

/** Bytes of the text of a client. */
export const MAX_CLIENT_BYTES = 64 << 10;

/** In place of a value that is too long to be of use, and not kept. */
export const TOO_LONG = "#".repeat(MAX_CLIENT_BYTES + 1);

/** What is kept of a value: of one that is too long, that it is. */
export function keptValue(value: string): string {
  return value.length > MAX_CLIENT_BYTES ? TOO_LONG : value;
}

type Part = "client" | "chain";

export interface RecordName {
  readonly client: string;
  readonly part: Part;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isClientName(name: string): boolean {
  return NAME.test(name);
}

/** That the keys of all clients begin with. */
export function clientsPrefix(prefix: string): string {
  return `${prefix}/clients/`;
}

export function clientKey(prefix: string, client: string): string {
  return clientsPrefix(prefix) + client;
}

export function chainKey(prefix: string, client: string): string {
  return `${clientKey(prefix, client)}/chain`;
}

/** That the keys of all muxes begin with. */
export function muxesPrefix(prefix: string): string {
  return `${prefix}/muxes/`;
}

export function muxKey(prefix: string, mux: number): string {
  return muxesPrefix(prefix) + mux;
}

/** @returns undefined for a key that is no part of a client */
export function recordName(
  prefix: string,
  key: string,
): RecordName | undefined {
  const start = clientsPrefix(prefix);
  if (!key.startsWith(start)) return undefined;
  const [client = "", part, ...others] = key.slice(start.length).split("/");
  if (!isClientName(client) || others.length > 0) return undefined;
  if (part === undefined) return { client, part: "client" };
  return part === "chain" ? { client, part } : undefined;
}
