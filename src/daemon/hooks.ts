// Calls among the parts of the daemon `anytun`. Each part is made before some of
// those that it calls, so it is given these.
import type { Route } from "../route/route.ts";
import type { RefusedDatagram } from "../tunnel/refused_samples.ts";
import type { DataPlane } from "./data_plane.ts";
import type { FaultFinding } from "./fault_finding.ts";
import type { KeepAliveService } from "./keep_alive.ts";
import type { KernelRoutes } from "./kernel_routes.ts";
import type { KeyRotation } from "./key_rotation.ts";
import type { PeerEvents } from "./peer_events.ts";
import type { SyncMember } from "./sync_member.ts";

interface Called {
  readonly plane: DataPlane;
  readonly member: SyncMember | undefined;
  readonly events: PeerEvents;
  readonly keepAlive: KeepAliveService;
  readonly faults: FaultFinding;
  readonly rotation: KeyRotation | undefined;
  readonly kernelRoutes: KernelRoutes | undefined;
}

export class Hooks {
  readonly #ownMux: number;
  #called: Called | undefined;

  constructor(ownMux: number) {
    this.#ownMux = ownMux;
  }

  /** Once all are made, before the first one starts. */
  connect(called: Called): void {
    this.#called = called;
  }

  /** A connection is about to be made, whose peer is looked for there. */
  readonly expected = (mux: number, remote: string | undefined): void =>
    this.#parts.events.expect(mux, remote);

  /** A connection is there or has other keys, or its peer is elsewhere. */
  readonly moved = (mux: number): void => {
    const { events, kernelRoutes, member } = this.#parts;
    events.lookAt(mux);
    member?.moved(mux);
    // Which routes are permitted depends on where the own peer is.
    if (mux === this.#ownMux) kernelRoutes?.changed();
  };

  /** Has the keys of a connection ready before its first packet. */
  readonly prepare = (mux: number): Promise<void> =>
    this.#parts.plane.prepare(mux);

  /** Has the data plane wipe the keys of connections that were removed. */
  readonly dropRetired = (): void => this.#parts.plane.dropRetired();

  /** Has the data plane send to those that are due in the table. */
  readonly sendDue = (): void => this.#parts.plane.sendDue();

  /** Whether the host of a peer answers that nobody listens at its port. */
  readonly isPortClosed = (mux: number): Promise<boolean> =>
    this.#parts.plane.isPortClosed(mux);

  /** Whether a peer is sent something, and has not been heard for long. */
  readonly isUnanswered = (mux: number): boolean =>
    this.#parts.events.isUnanswered(mux);

  /** Whether peers that are sent nothing else are sent keep-alives. */
  readonly isKeptAlive = (): boolean => this.#parts.keepAlive.isOn;

  /** A datagram that nothing opens, as the table was asked for. */
  readonly refused = (datagram: RefusedDatagram): void => {
    const { faults, rotation } = this.#parts;
    rotation?.refused(datagram);
    faults.take(datagram);
  };

  /** A route has come or gone. */
  readonly routeChanged = (route: Route): void =>
    this.#parts.kernelRoutes?.routeChanged(route);

  /** The peer of a connection is elsewhere, as others say. */
  readonly peerMoved = (mux: number): void =>
    this.#parts.kernelRoutes?.peerMoved(mux);

  get #parts(): Called {
    if (this.#called !== undefined) return this.#called;
    throw new Error("Cannot call a part of the daemon before all are made");
  }
}
