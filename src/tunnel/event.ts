// Events of a tunnel.

/** The kinds of events. */
export interface TunnelEventMap {
  /** Packets are carried. */
  readonly ready: TunnelEvent;
  /** The peer of a connection is heard for the first time, or again. */
  readonly heard: PeerEvent;
  /** The peer of a connection is heard from another endpoint. */
  readonly moved: PeerEvent;
  /** The peer of a connection has not been heard for a while. */
  readonly silent: PeerEvent;
  /** The tunnel cannot go on; it has stopped. */
  readonly failed: TunnelFailure;
}

/** Something about the tunnel as a whole. */
export class TunnelEvent extends Event {}

/** Something about the peer of one connection. */
export class PeerEvent extends TunnelEvent {
  /** Number of the connection. */
  readonly mux: number;
  /** Where the peer is, such as `192.0.2.1:4444`. */
  readonly remote: string | undefined;

  /** An event of this kind. */
  constructor(
    type: "heard" | "moved" | "silent",
    { mux, remote }: {
      readonly mux: number;
      readonly remote: string | undefined;
    },
  ) {
    super(type);
    this.mux = mux;
    this.remote = remote;
  }
}

/** The end of a tunnel that nobody asked for. */
export class TunnelFailure extends TunnelEvent {
  /** Why it cannot go on. */
  readonly error: unknown;

  /** An event of the kind `failed`. */
  constructor(error: unknown) {
    super("failed");
    this.error = error;
  }
}
