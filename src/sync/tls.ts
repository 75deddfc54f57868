/**
 * The sync stream inside of TLS 1.3, where both sides show a certificate
 * (RFC 8446). It lies between server or client and the transport below, and
 * looks to them like that transport.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Connect, Listen } from "./seams.ts";
import { acceptHandshake, beginHandshake } from "./tls_handshake.ts";
import { TlsListener } from "./tls_listener.ts";

/** How long a client may take to show its certificate. */
const HANDSHAKE_MS = 10_000;
/** Clients at a time that have not shown theirs. */
const MAX_HANDSHAKES = 32;

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

/** What tests make shorter. */
export interface HandshakeLimits {
  readonly handshakeMs?: number;
  readonly maxHandshakes?: number;
}

/**
 * Listens for clients that can show a certificate; nobody else gets in.
 *
 * @param log Limited, since anybody may try as often as they like
 */
export function listenTls(
  listen: Listen,
  identity: TlsIdentity,
  log: RateLimitedLog,
  { handshakeMs = HANDSHAKE_MS, maxHandshakes = MAX_HANDSHAKES }:
    HandshakeLimits = {},
): Listen {
  return (on) =>
    new TlsListener(listen(on), {
      handshake: (plain) => acceptHandshake(plain, identity, handshakeMs),
      maxHandshakes,
      log,
    });
}

/** Connects to servers that can show a certificate; no other one is heard. */
export function connectTls(connect: Connect, identity: TlsIdentity): Connect {
  return async (to, signal) =>
    await beginHandshake(await connect(to, signal), identity, signal);
}
