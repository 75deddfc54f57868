/**
 * What server and client ask of TCP, and of the unix sockets of this host.
 *
 * @module
 */
import type { Endpoint } from "../net/endpoint.ts";
import type { Place, UnixSocket } from "../net/place.ts";

/** One connection. */
export interface SyncStream {
  /** Where the other side is; for a unix socket, the one it has come through. */
  readonly remote: Place;
  /** The user on the other side, where that is known: one of this host. */
  readonly uid?: number | undefined;
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

/** A TCP connection. */
export interface TcpStream extends SyncStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Something that is listened on. */
export interface SyncListener<
  P extends Place = Place,
  S extends SyncStream = SyncStream,
> {
  /** Where, with the port that the system chose instead of 0. */
  readonly local: P;
  /** Whether only those can read along whose certificate was verified. */
  readonly isProtected: boolean;
  /** @throws if the listener is closed, or the system lacks something now */
  accept(): Promise<S>;
  close(): void;
}

/** @throws if it cannot be bound */
export type Listen<P extends Place = Place> = (on: P) => SyncListener<P>;

/** @throws if nobody listens there, or the signal is aborted before */
export type Connect<P extends Place = Place> = (
  to: P,
  signal: AbortSignal,
) => Promise<SyncStream>;

/** {@linkcode Listen} for plain TCP. */
export type ListenTcp = (on: Endpoint) => SyncListener<Endpoint, TcpStream>;

/** {@linkcode Connect} for plain TCP. */
export type ConnectTcp = (
  to: Endpoint,
  signal: AbortSignal,
) => Promise<TcpStream>;

/** A stream through a unix socket; who is at its other end is known. */
export interface UnixStream extends SyncStream {
  readonly uid: number;
}

/** The unix sockets of this host. */
export interface UnixStreams {
  /**
   * @param owner The only user who shall be able to connect, besides root; the
   * present one if that is left out
   * @throws if there is something else, or somebody listens already
   */
  listen(
    on: UnixSocket,
    owner?: SocketOwner,
  ): SyncListener<UnixSocket, UnixStream>;
  /** @throws if nobody listens there */
  connect(to: UnixSocket): UnixStream;
}

/** Whom the file of a unix socket belongs to. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user whose socket is at one end of a TCP connection within this host.
 *
 * @param end That end
 * @param other The other end
 * @returns undefined while no process holds such a socket: it is not accepted
 * yet, or is closed
 * @throws if the kernel does not tell
 */
export type OwnerOf = (end: Endpoint, other: Endpoint) => number | undefined;
