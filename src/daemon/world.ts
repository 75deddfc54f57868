/**
 * Everything outside that the daemon touches. The real one is made where the
 * program starts; tests bring their own.
 *
 * @module
 */
import type { LogSurroundings } from "../log/log.ts";
import type { Logger } from "../log/logger.ts";
import type { Delay, Lookup } from "../net/resolver.ts";
import type { Digest } from "../satp/secrets.ts";
import type { PlaneChoice } from "./choose_plane.ts";
import type { PlaneBuilder } from "./plane.ts";

/** Signals that end the daemon. */
export type SignalName = "SIGTERM" | "SIGINT";

/** What the daemon is given at its start. */
export interface World extends LogSurroundings {
  readonly delay: Delay;
  readonly lookup: Lookup;
  readonly digest: Digest;
  /** @throws if the engine that was asked for by name cannot be had */
  choosePlane(choice: PlaneChoice, logger: Logger): Promise<PlaneBuilder>;
  /** @returns A function that ends the listening */
  onSignal(name: SignalName, listener: () => void): () => void;
}
