// TLS 1.3 with certificates on both sides (RFC 8446), as a transport between
// sync and TCP.
import type { Endpoint } from "../net/endpoint.ts";
import type { HandshakeLimits } from "./handshake_limiter.ts";
import type { Connect, Listen } from "./streams.ts";
import { acceptHandshake, beginHandshake } from "./tls_handshake.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { type Surroundings, TlsListener } from "./tls_listener.ts";

/**
 * A member begins at once and needs two round trips. A flood of clients without
 * a certificate costs this many sockets, and this many handshakes a turn.
 */
const LIMITS: HandshakeLimits = {
  maxSilent: 128,
  maxWaiting: 128,
  maxHandshakes: 32,
  silentMs: 5000,
  crowdedMs: 2000,
  turnMs: 1000,
  handshakeMs: 10_000,
};

/** @param changed Limits that tests make lower */
export function listenTls(
  listen: Listen<Endpoint>,
  identity: TlsIdentity,
  surroundings: Surroundings,
  changed: Partial<HandshakeLimits> = {},
): Listen<Endpoint> {
  const limits = { ...LIMITS, ...changed };
  const { handshakeMs } = limits;
  return (on) =>
    new TlsListener(listen(on), {
      ...surroundings,
      handshake: (plain) => acceptHandshake(plain, identity, handshakeMs),
      limits,
    });
}

/** @param expected The host that the server's certificate has to name, if any */
export function connectTls(
  connect: Connect<Endpoint>,
  identity: TlsIdentity,
  expected?: string,
): Connect<Endpoint> {
  return async (to, signal) => {
    const plain = await connect(to, signal);
    return await beginHandshake(plain, identity, signal, expected);
  };
}
