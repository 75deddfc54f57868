// Streams and listeners that the sync server and client run on.
import type { PeerStream, StreamListener } from "../net/duplex_stream.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { Place, UnixSocket } from "../net/place.ts";

export type SyncStream = PeerStream;

export interface TcpStream extends SyncStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface SyncListener<
  P extends Place = Place,
  S extends SyncStream = SyncStream,
> extends StreamListener<S> {
  /** With the port that the system chose instead of 0. */
  readonly local: P;
  /** Whether streams are encrypted and clients verified by certificate. */
  readonly isProtected: boolean;
}

/** @throws if it cannot be bound */
export type Listen<P extends Place = Place> = (on: P) => SyncListener<P>;

/** @throws if nobody listens there, or the signal is aborted before */
export type Connect<P extends Place = Place> = (
  to: P,
  signal: AbortSignal,
) => Promise<SyncStream>;

export interface TcpSyncListener extends SyncListener<Endpoint, TcpStream> {
  /**
   * For one that was to listen later.
   * @throws if another program listens there by now
   */
  listen(): void;
}

/**
 * @param isLater Whether others are refused until it is told to listen
 * @throws if it cannot be bound
 */
export type ListenTcp = (on: Endpoint, isLater?: boolean) => TcpSyncListener;

export type ConnectTcp = (
  to: Endpoint,
  signal: AbortSignal,
) => Promise<TcpStream>;

export interface UnixStream extends SyncStream {
  readonly uid: number;
}

export interface UnixStreams {
  /**
   * @param owner The only user besides root who can connect; the present one if
   * left out
   * @throws if the path is taken
   */
  listen(
    on: UnixSocket,
    owner?: SocketOwner,
  ): SyncListener<UnixSocket, UnixStream>;
  connect(to: UnixSocket): UnixStream;
}

export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user who owns one end of a TCP connection within this host.
 * @returns undefined while no process does: it is not accepted yet, or closed
 * @throws if the kernel does not tell
 */
export type OwnerOf = (end: Endpoint, other: Endpoint) => number | undefined;
