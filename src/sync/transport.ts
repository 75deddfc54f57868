/**
 * What carries sync streams: TCP, or TLS on it for whoever has an identity.
 *
 * Both are to be called before a program is confined: what TLS needs takes
 * megabytes, so that it is loaded here and only then.
 *
 * @module
 */
import type { Connect, Listen } from "./seams.ts";
import type { TlsIdentity } from "./tls.ts";
import type { Surroundings } from "./tls_listener.ts";

/** How to listen for clients. */
export async function listenFor(
  identity: TlsIdentity | undefined,
  tcp: Listen,
  surroundings: Surroundings,
): Promise<Listen> {
  if (identity === undefined) return tcp;
  const { listenTls } = await import("./tls.ts");
  return listenTls(tcp, identity, surroundings);
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
