/**
 * What server and client ask of TCP.
 *
 * @module
 */
import type { Endpoint } from "../net/endpoint.ts";

/** One TCP connection. */
export interface SyncStream {
  readonly remote: Endpoint;
  /**
   * Reads what is there, at least one byte.
   *
   * @returns The number of bytes, or null at the end
   * @throws if the connection is broken or closed
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes some of the bytes, at least one.
   *
   * @throws if the connection is broken or closed
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends it, with whatever reads and writes wait; may be called again. */
  close(): void;
}

/** A TCP port that is listened on. */
export interface SyncListener {
  /** Where, with the port that the system chose instead of 0. */
  readonly local: Endpoint;
  /** Whether only those can read along whose certificate was verified. */
  readonly isProtected: boolean;
  /** @throws if the listener is closed, or the system lacks something now */
  accept(): Promise<SyncStream>;
  close(): void;
}

/** @throws if the endpoint cannot be bound */
export type Listen = (on: Endpoint) => SyncListener;

/** @throws if nobody listens there, or the signal is aborted before */
export type Connect = (
  to: Endpoint,
  signal: AbortSignal,
) => Promise<SyncStream>;
