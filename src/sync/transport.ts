/**
 * What carries sync streams: TCP, or TLS on it for whoever has an identity.
 *
 * Both are to be called before a program is confined: what TLS needs takes
 * megabytes, so that it is loaded here and only then.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Connect, Listen } from "./seams.ts";
import type { TlsIdentity } from "./tls.ts";

/**
 * How to listen for clients.
 *
 * @param log Limited, since anybody may try as often as they like
 */
export async function listenFor(
  identity: TlsIdentity | undefined,
  tcp: Listen,
  log: RateLimitedLog,
): Promise<Listen> {
  if (identity === undefined) return tcp;
  const { listenTls } = await import("./tls.ts");
  return listenTls(tcp, identity, log);
}

/** How to connect to servers. */
export async function connectFor(
  identity: TlsIdentity | undefined,
  tcp: Connect,
): Promise<Connect> {
  if (identity === undefined) return tcp;
  const { connectTls } = await import("./tls.ts");
  return connectTls(tcp, identity);
}
