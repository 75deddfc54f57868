// The networks behind the own peer (--route).
import type { AnytunOptions } from "../config/anytun.ts";
import type { ClusterOptions } from "../config/cluster.ts";
import type { Logger } from "../log/logger.ts";
import { formatPrefix, type Prefix } from "../net/prefix.ts";
import type { Route } from "../route/route.ts";
import { Routes } from "../route/routes.ts";
import type { Service } from "./lifecycle.ts";
import type { SyncState } from "./sync_state.ts";

interface RouteOptions extends Pick<AnytunOptions, "mux"> {
  readonly cluster: Pick<ClusterOptions, "routes" | "routing">;
}

interface OwnRoutesContext {
  readonly state: Pick<SyncState, "putRoute" | "removeRoute">;
  /** Says that it is a route of this member. */
  readonly claim: (route: Route) => void;
  /** The same to those who are connected already. */
  readonly tell: (route: Route) => void;
  /** Tells those that can take it back. */
  readonly takeBack: (route: Route) => void;
  readonly logger: Logger;
}

export class OwnRoutes implements Service<RouteOptions> {
  readonly name = "routes";
  readonly live = ["routes"];
  readonly #mux: number;
  readonly #context: OwnRoutesContext;
  #prefixes: readonly Prefix[];

  constructor({ cluster, mux }: RouteOptions, context: OwnRoutesContext) {
    this.#mux = mux;
    this.#prefixes = cluster.routes;
    this.#context = context;
    if (cluster.routing) return;
    context.logger.notice(
      "No sync/control host defined or not a tun device. " +
        "Disabling multi connection support (routing)",
    );
  }

  /** @throws if there are too many */
  start(): void {
    const { state, claim } = this.#context;
    this.#put(this.#prefixes, (route) => state.putRoute(route));
    for (const prefix of this.#prefixes) claim(this.#routeTo(prefix));
  }

  /** @throws if there are too many */
  check({ cluster }: RouteOptions): void {
    const routes = new Routes();
    this.#put(cluster.routes, (route) => routes.put(route));
  }

  /** For originals there is no record that takes a route away (sync section 2). */
  reload({ cluster }: RouteOptions): void {
    const { state, takeBack, tell, logger } = this.#context;
    const before = new Set(this.#prefixes.map(formatPrefix));
    const after = new Set(cluster.routes.map(formatPrefix));
    const added = cluster.routes.filter((one) =>
      !before.has(formatPrefix(one))
    );
    const gone = this.#prefixes.filter((one) => !after.has(formatPrefix(one)));
    this.#prefixes = cluster.routes;
    if (added.length + gone.length === 0) return;
    // First, so that what stays routed is so all the time.
    this.#put(added, (route) => state.putRoute(route));
    for (const prefix of gone) {
      state.removeRoute(this.#routeTo(prefix));
      takeBack(this.#routeTo(prefix));
    }
    for (const prefix of added) tell(this.#routeTo(prefix));
    const texts = [
      ...added.map((prefix) => `+${formatPrefix(prefix)}`),
      ...gone.map((prefix) => `-${formatPrefix(prefix)}`),
    ];
    logger.notice(`routes to connection ${this.#mux}: ${texts.join(" ")}`);
    if (gone.length === 0) return;
    logger.info(
      "original anytuns in the cluster keep routes that were taken away until " +
        "they start again",
    );
  }

  #put(prefixes: readonly Prefix[], put: (route: Route) => boolean): void {
    for (const prefix of prefixes) {
      if (put(this.#routeTo(prefix))) continue;
      throw new Error("Cannot add more routes (--route): there are too many");
    }
  }

  #routeTo({ address: network, length: prefixLength }: Prefix): Route {
    return { network, prefixLength, mux: this.#mux };
  }
}
