/**
 * The sync stream inside of TLS 1.3, where both sides show a certificate
 * (RFC 8446). It lies between server or client and the transport below, and
 * looks to them like that transport.
 *
 * @module
 */
import type { Endpoint } from "../net/endpoint.ts";
import type { HandshakeLimits } from "./doorkeeper.ts";
import type { Connect, Listen } from "./seams.ts";
import { acceptHandshake, beginHandshake } from "./tls_handshake.ts";
import { type Surroundings, TlsListener } from "./tls_listener.ts";

/**
 * A member speaks at once, and is done after two round trips. A flood of
 * strangers costs this many sockets, and this many handshakes in each turn.
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

/** Who this side is, and whom it believes. */
export interface TlsIdentity {
  /** The own certificate, and those between it and an authority, as PEM. */
  readonly certificate: string;
  /** The private key of the own certificate, as PEM. */
  readonly key: string;
  /**
   * Certificates, as PEM, one of which has to stand behind that of the other
   * side. The system's authorities count for nothing.
   */
  readonly authority: string;
}

/**
 * Listens for clients that can show a certificate; nobody else gets in.
 *
 * @param changed Limits that tests make lower
 */
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

/** Connects to servers that can show a certificate; no other one is heard. */
export function connectTls(
  connect: Connect<Endpoint>,
  identity: TlsIdentity,
): Connect<Endpoint> {
  return async (to, signal) =>
    await beginHandshake(await connect(to, signal), identity, signal);
}
