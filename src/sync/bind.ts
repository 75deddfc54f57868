/**
 * Where a sync server listens. Without TLS whoever connects gets all keys, so
 * that it is this host alone unless somebody asks for more.
 *
 * @module
 */
import type { Logger } from "../log/logger.ts";
import { type IpAddress, parseAddress } from "../net/address.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { Lookup } from "../net/resolver.ts";
import { isUnspecified } from "./record.ts";
import type { Listen, SyncListener } from "./seams.ts";

/** What people ask for. */
export interface SyncBind {
  /** Address or name; without one it is the loopback address of IPv4. */
  readonly host: string | undefined;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

const LOOPBACK: IpAddress = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) };

/**
 * Listens for sync clients on every address of the host.
 *
 * @returns At least one listener
 * @throws if the name has no address, or an address cannot be bound; nothing
 * stays open then
 */
export async function bindSync(
  { host, port }: SyncBind,
  listen: Listen,
  lookup: Lookup,
  log: Logger,
): Promise<SyncListener[]> {
  const addresses = host === undefined
    ? [LOOPBACK]
    : await addressesOf(host, lookup);
  using opened = new DisposableStack();
  const listeners = addresses.map((address) =>
    opened.adopt(
      open(listen, { address, port }),
      (listener) => listener.close(),
    )
  );
  for (const { local, isProtected } of listeners) {
    const text = formatEndpoint(local);
    log.notice(
      `sync server listening on ${text}${isProtected ? " with TLS" : ""}`,
    );
    if (!isProtected && !isLoopback(local.address)) {
      const who = isUnspecified(local) ? "from everywhere" : "from other hosts";
      log.warning(
        `sync server on ${text} can be reached ${who}: master keys travel in clear text, to anybody who connects`,
      );
    }
  }
  opened.move();
  return listeners;
}

function open(listen: Listen, endpoint: Endpoint): SyncListener {
  try {
    return listen(endpoint);
  } catch (cause) {
    throw bindError(formatEndpoint(endpoint), cause);
  }
}

async function addressesOf(
  host: string,
  lookup: Lookup,
): Promise<readonly IpAddress[]> {
  const address = parseAddress(host);
  if (address !== undefined) return [address];
  try {
    return await lookup(host, "any");
  } catch (cause) {
    throw bindError(host, cause);
  }
}

function bindError(where: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot listen for sync clients on ${where}: ${why}`, {
    cause,
  });
}

/** 127.0.0.0/8 (RFC 1122 section 3.2.1.3) and ::1 (RFC 4291). */
function isLoopback({ family, bytes }: IpAddress): boolean {
  if (family === 4) return bytes[0] === 127;
  return bytes.every((byte, i) => byte === (i === bytes.length - 1 ? 1 : 0));
}
