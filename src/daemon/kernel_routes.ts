// Routes to the device in the kernel's table: those of --route and those that
// other members tell of (--routes-install).
import { CAP } from "../../ffi/flags.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatAddress, type IpAddress } from "../net/address.ts";
import { CollectedWork } from "../net/collected_work.ts";
import type { Every } from "../net/every.ts";
import { formatPrefix, type Prefix, withoutHostBits } from "../net/prefix.ts";
import type { Delay } from "../net/delay.ts";
import type { Route } from "../route/route.ts";
import type { DeviceHandle } from "../tunnel/plane.ts";
import { KernelTable, routeText, type Verdict } from "./kernel_table.ts";
import { KnownRoutes } from "./known_routes.ts";
import type { Service } from "./lifecycle.ts";
import { refusalOf } from "./permitted_route.ts";

/** Others tell of routes by the thousand. */
const COLLECT_MS = 20;
/** How often to try those again that the kernel did not take, and two others. */
const RETRY_MS = 2000;
/** Of so many that have changed, and are not looked at yet, no list is kept. */
const MANY = 10_000;

type Options = NonNullable<AnytunOptions["kernelRoutes"]>;

interface KernelRoutesContext {
  readonly device: () => Pick<DeviceHandle, "name" | "openRoutes">;
  /** All that there are. */
  readonly routes: () => readonly Route[];
  /** The one of them that counts for a network. */
  readonly routeTo: (route: Route) => Route | undefined;
  /** Whose datagrams no route must lead astray. */
  readonly ownPeer: () => IpAddress | undefined;
  /** The same of a connection, for its routes. */
  readonly peerOf: (mux: number) => IpAddress | undefined;
  readonly delay: Delay;
  readonly elapsed: () => number;
  readonly every: Every;
  readonly logger: Logger;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

/** What no network of others may hold, whoever tells of it. */
interface Place {
  readonly neighbours: readonly Prefix[];
  readonly ownPeer: IpAddress | undefined;
}

export class KernelRoutes
  implements Service<Pick<AnytunOptions, "kernelRoutes">> {
  readonly name = "kernel routes";
  readonly live = ["routesAccept"];
  #options: Options;
  readonly #context: KernelRoutesContext;
  #table: KernelTable | undefined;
  readonly #known = new KnownRoutes();
  readonly #changes: CollectedWork;
  /** Whether all are to be looked at, or those alone that have changed. */
  #isWhole = true;
  #changed: Route[] = [];
  /** Muxes whose peer is elsewhere. */
  readonly #moved = new Set<number>();
  /** What the kernel did not take, by its text. */
  readonly #pending = new Set<string>();
  /** Whether its time has come: a change of others is no reason. */
  #isToRetry = false;
  /** Whether some are not there that were. */
  #isLost = false;
  /** Where all were looked at last, as text. */
  #place = "";

  constructor(options: Options, context: KernelRoutesContext) {
    this.#options = options;
    this.#context = context;
    const update = () => this.#tryUpdate();
    this.#changes = new CollectedWork(COLLECT_MS, update, context);
  }

  /** Changes need it as long as there are any, and so does the end. */
  capabilities(): readonly number[] {
    return [CAP.NET_ADMIN];
  }

  /** @throws if the kernel refuses to change routes */
  start(): void {
    const routes = this.#context.device().openRoutes();
    this.#table = new KernelTable(routes, this.#context);
    this.#look();
    this.#update();
  }

  /** A route has come or gone. */
  routeChanged(route: Route): void {
    if (this.#table === undefined) return;
    if (!this.#isWhole) this.#changed.push(route);
    if (this.#changed.length > MANY) this.#lookAtAll();
    this.changed();
  }

  /** The peer of a connection is elsewhere, as others say. */
  peerMoved(mux: number): void {
    this.#moved.add(mux);
    this.changed();
  }

  /** The own peer may be elsewhere. */
  changed(): void {
    if (this.#table !== undefined) this.#changes.ask();
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#context.every(RETRY_MS, () => {
      this.#isLost ||= this.#table?.hasLost() ?? false;
      this.#isToRetry = this.#pending.size > 0;
      if (this.#isLost || this.#isWhole || this.#isToRetry) this.changed();
    }, stop);
  }

  /** Some may have been lost. The mark may be another. */
  reload({ kernelRoutes }: Pick<AnytunOptions, "kernelRoutes">): void {
    this.#options = kernelRoutes ?? this.#options;
    this.#look();
    this.#update();
  }

  report(): readonly string[] {
    const routes = [...this.#table?.texts() ?? []];
    return [`kernel routes: ${routes.join(", ") || "none"}`];
  }

  close(): void {
    const table = this.#table;
    this.#table = undefined;
    this.#isLost = false;
    table?.close();
  }

  /** An answer of the kernel that is not understood ends no daemon. */
  #tryUpdate(): void {
    try {
      if (this.#isLost) this.#lookForLost();
      this.#update();
    } catch (error) {
      this.#lookAtAll();
      this.#context.limited.write(
        "error",
        "kernel routes",
        () => `Cannot change kernel routes: ${reasonOf(error)}`,
      );
    }
  }

  #lookForLost(): void {
    this.#look();
    this.#context.limited.write(
      "warning",
      "kernel routes lost",
      () =>
        "Kernel routes (--routes-install) were lost, as when the device is " +
        "set down: they are put back",
    );
  }

  #look(): void {
    this.#lookAtAll();
    this.#table?.look();
    this.#isLost = false;
  }

  #lookAtAll(): void {
    this.#isWhole = true;
    this.#changed = [];
    this.#moved.clear();
    this.#pending.clear();
  }

  #update(): void {
    const table = this.#table;
    if (table === undefined) return;
    const place = this.#presentPlace(table);
    const texts = this.#isWhole ? this.#learnAll(table) : this.#learnChanged();
    const refused = table.change(texts, (text) => this.#verdict(text, place));
    for (const text of refused) this.#pending.add(text);
    this.#isWhole = false;
  }

  // They come and go; whoever asks for the kernel's routes asks anew.
  #presentPlace(table: KernelTable): Place {
    const neighbours = table.neighbours();
    const place = { neighbours, ownPeer: this.#context.ownPeer() };
    const text = [
      ...place.neighbours.map(formatPrefix),
      place.ownPeer && formatAddress(place.ownPeer),
    ].join();
    if (text !== this.#place) this.#lookAtAll();
    this.#place = text;
    return place;
  }

  #learnAll(table: KernelTable): ReadonlySet<string> {
    this.#known.clear();
    for (const route of this.#context.routes()) this.#learn(route);
    const texts = new Set([...this.#known.texts(), ...table.texts()]);
    table.forgetOthers(texts);
    return texts;
  }

  #learnChanged(): ReadonlySet<string> {
    const texts = new Set(this.#isToRetry ? this.#pending : []);
    this.#isToRetry = false;
    for (const route of this.#changed) {
      const text = this.#learn(route);
      if (text !== undefined) texts.add(text);
    }
    this.#changed = [];
    for (const mux of this.#moved) {
      for (const text of this.#known.of(mux)) texts.add(text);
    }
    this.#moved.clear();
    for (const text of texts) this.#pending.delete(text);
    return texts;
  }

  /** @returns undefined if it is none for the kernel */
  #learn(changed: Route): string | undefined {
    const { network, prefixLength } = changed;
    if (network.family === "ethernet") return undefined;
    const length = Math.min(prefixLength, network.bytes.length * 8);
    const bytes = withoutHostBits(network.bytes, length);
    const prefix = { address: { family: network.family, bytes }, length };
    const route = { network: bytes, length, metric: this.#options.metric };
    const text = routeText(route);
    const mux = this.#context.routeTo(changed)?.mux;
    if (mux === undefined) this.#known.delete(text);
    else this.#known.put(text, { route, prefix, mux });
    return text;
  }

  #verdict(text: string, { neighbours, ownPeer }: Place): Verdict {
    const known = this.#known.get(text);
    if (known === undefined) return undefined;
    const { route, prefix, mux } = known;
    const peers = [ownPeer, this.#context.peerOf(mux)]
      .filter((address) => address !== undefined);
    return refusalOf(prefix, { neighbours, peers }, this.#options) ?? route;
  }
}
