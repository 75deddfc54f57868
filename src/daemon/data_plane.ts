// Device, sockets and data plane as services of a daemon.
import { SystemError } from "../../ffi/errno.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger, LogLine } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { Delay } from "../net/delay.ts";
import { Resolver } from "../net/resolver.ts";
import { withNumericZone } from "../net/zone.ts";
import { BindError } from "../tunnel/bind_error.ts";
import { PLANE_COUNTERS } from "../tunnel/counters.ts";
import type {
  DeviceHandle,
  PlaneBuilder,
  PlaneSetup,
  RunningPlane,
} from "../tunnel/plane.ts";
import { chooseSenderIds, idsByGeneration } from "../tunnel/sender_ids.ts";
import type { NumberKeeper } from "../state/number_keeper.ts";
import type { Report } from "../status/report.ts";
import { DEFAULT_MTU, type TunnelSettings } from "../tunnel/settings.ts";
import { counterLines } from "./counters_text.ts";
import { goesRound, Heartbeat } from "./heartbeat.ts";
import type { Service, Starting } from "./lifecycle.ts";
import { aborted, unlessStopped } from "./stop.ts";
import type { World } from "./world.ts";

type PlaneWorld = Pick<
  World,
  "choosePlane" | "control" | "delay" | "parent" | "lookup" | "random"
>;

/** @returns Those that no other program has */
type ClaimSenderIds = (senderIds: readonly number[]) => readonly number[];

/** Opened with privileges, ahead of the plane that uses them. */
export class DeviceAndSockets implements Service<AnytunOptions> {
  readonly name = "device and sockets";
  readonly live = ["mark"];
  readonly #options: AnytunOptions;
  readonly #world: PlaneWorld;
  readonly #logger: Logger;
  readonly #resolver: Resolver;
  readonly #numbers: NumberKeeper | undefined;
  readonly #claim: ClaimSenderIds;
  #builder: PlaneBuilder | undefined;
  #device: DeviceHandle | undefined;
  #mtu = 0;
  #bound: readonly Endpoint[] = [];
  /** Of what is sent. */
  #mark: number;

  /** @param numbers Where it is kept which sender ids were taken */
  constructor(
    options: AnytunOptions,
    world: PlaneWorld,
    logger: Logger,
    numbers: NumberKeeper | undefined,
    claim: ClaimSenderIds = (senderIds) => senderIds,
  ) {
    this.#numbers = numbers;
    this.#options = options;
    this.#mark = options.sockets.mark;
    this.#claim = claim;
    this.#world = world;
    this.#logger = logger;
    this.#resolver = new Resolver(world.lookup, world.delay, logger);
  }

  async start(starting: Starting): Promise<void> {
    const { choosePlane, random } = this.#world;
    const chosen = chooseSenderIds(
      this.#options.senderIds,
      random,
      this.#numbers?.taken(),
    );
    const senderIds = this.#claim(chosen);
    const settings = tunnelSettings(this.#options, senderIds);
    const builder = await choosePlane(settings, this.#logger);
    this.#builder = builder;
    this.#logger.notice(builder.description);
    this.#device = this.#openDevice(builder);
    this.#numbers?.begin(idsByGeneration(senderIds, builder.senders));
    await this.#bindSockets(builder, starting);
    builder.useClasses(this.#options);
  }

  /** @throws if the mark cannot change, as where privileges are gone */
  check({ sockets: { mark } }: Pick<AnytunOptions, "sockets">): void {
    if (mark === this.#mark) return;
    try {
      this.#builder?.checkMark(mark);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new Error(
        `Cannot change --mark from ${this.#mark} to ${mark} (${error.code}): ` +
          "that needs CAP_NET_ADMIN, which is gone after --username (-u), or " +
          "a restart of the daemon",
        { cause: error },
      );
    }
  }

  reload({ sockets: { mark }, dscp, ecn }: AnytunOptions): void {
    this.#builder?.useClasses({ dscp, ecn });
    if (mark === this.#mark) return;
    this.#builder?.setMark(mark);
    this.#mark = mark;
  }

  close(): void {
    this.#builder?.[Symbol.dispose]();
  }

  get builder(): PlaneBuilder {
    return opened(this.#builder);
  }

  get device(): DeviceHandle {
    return opened(this.#device);
  }

  /** As far as it is open. */
  status(): Pick<Report, "device" | "plane" | "listening"> {
    const { type } = this.#options.device;
    const device = this.#device;
    return {
      device: device === undefined
        ? null
        : { name: device.name, type, mtu: this.#mtuOf(device) },
      plane: this.#builder?.description ?? null,
      listening: this.#bound.map(formatEndpoint),
    };
  }

  /** The last known one, where it cannot be told now. */
  #mtuOf(device: DeviceHandle): number {
    try {
      this.#mtu = device.mtu;
    } catch {
      // It is gone, or in another namespace.
    }
    return this.#mtu;
  }

  #openDevice(builder: PlaneBuilder): DeviceHandle {
    const { device: { name, type }, ifconfig, mtu = DEFAULT_MTU } =
      this.#options;
    const device = builder.openDevice(name);
    this.#logger.notice(
      `dev opened - name '${device.name}', node '/dev/net/tun'`,
    );
    this.#logger.notice(`dev type is '${type}'`);
    if (ifconfig.length > 0) {
      const addresses = ifconfig.map(formatPrefix);
      device.configure({ addresses, mtu, up: true });
    }
    return device;
  }

  async #bindSockets(
    builder: PlaneBuilder,
    { stop, waiting }: Starting,
  ): Promise<void> {
    const { localHost, localPort: port, family } = this.#options;
    if (localHost === undefined) {
      this.#logSockets(listening(
        `port ${port} (--port)`,
        () => builder.bindToAll(family, port),
      ));
      return;
    }
    waiting(`an address of '${localHost}' (--interface)`);
    const request = { host: localHost, port, family, signal: stop };
    const resolving = this.#resolver.resolveOnce(request).catch((error) => {
      this.#world.parent.say(
        `anytun: Cannot resolve '${localHost}' (--interface) yet: ` +
          `${reasonOf(error)}; trying again`,
      );
      return this.#resolver.resolve(request);
    });
    const endpoints = await unlessStopped(resolving, stop);
    if (endpoints === undefined) return;
    const { control } = this.#world;
    const addresses = endpoints.map(({ address }) =>
      withNumericZone(address, (name) => control.interfaceIndex(name))
    );
    const bound = listening(
      `${localHost}, port ${port} (--interface, --port)`,
      () => builder.bind(addresses, port),
    );
    // With the names of zones as they were given.
    this.#logSockets(endpoints.map(({ address }, k) => {
      return { address, port: bound[k]?.port ?? port };
    }));
  }

  #logSockets(bound: readonly Endpoint[]): void {
    this.#bound = bound;
    for (const endpoint of bound) {
      this.#logger.notice(`opening socket: ${formatEndpoint(endpoint)}`);
    }
  }
}

/** Carries packets from its start on: a post-up script may count on it. */
export class DataPlane implements Service<AnytunOptions> {
  readonly name = "data plane";
  readonly live = ["mss", "dscp", "ecn"];
  readonly #ends: Pick<DeviceAndSockets, "builder">;
  readonly #context: PlaneSetup;
  readonly #heartbeat: Heartbeat;
  #plane: RunningPlane | undefined;
  #isOver = false;

  /** @param elapsed A clock that never goes back, in milliseconds */
  constructor(
    ends: Pick<DeviceAndSockets, "builder">,
    context: PlaneSetup,
    elapsed: () => number,
  ) {
    this.#ends = ends;
    this.#context = context;
    this.#heartbeat = new Heartbeat(() => this.#plane?.rounds() ?? [], elapsed);
  }

  async start({ stop, fail }: Starting): Promise<void> {
    const plane = await this.#ends.builder.start(this.#context, stop);
    this.#plane = plane;
    const over = () => this.#isOver = true;
    plane.finished.then(over, over);
    plane.finished.catch(fail);
  }

  async run(stop: AbortSignal): Promise<void> {
    await Promise.race([this.#plane?.finished, aborted(stop)]);
    await this.close();
  }

  reload(next: Pick<AnytunOptions, "mss" | "dscp" | "ecn">): void {
    this.#context.live?.take(next);
  }

  /** As long as it carries packets. */
  get running(): RunningPlane | undefined {
    return this.#isOver ? undefined : this.#plane;
  }

  report(): readonly LogLine[] {
    return [...counterLines(this.#context.table, this.#plane?.counters())];
  }

  /** What belongs to no connection, once there is a plane. */
  counters(): Float64Array {
    return this.#plane?.counters() ?? new Float64Array(PLANE_COUNTERS);
  }

  /** See {@link RunningPlane.beatTo}. */
  beatTo(socket: number): void {
    this.#plane?.beatTo(socket);
  }

  /** Whether each of its threads goes round now, as it is told to. */
  async answers(delay: Delay): Promise<boolean> {
    const plane = this.#plane;
    if (plane === undefined) return false;
    const wake = () => plane.dropRetired();
    return await goesRound(() => plane.rounds(), wake, delay) && !this.#isOver;
  }

  isAlive(): boolean {
    return this.#heartbeat.isAlive;
  }

  async close(): Promise<void> {
    await this.#plane?.stop();
    await this.#plane?.finished;
  }

  /** Has the workers wipe the keys of connections that were removed. */
  dropRetired(): void {
    this.#plane?.dropRetired();
  }

  /** See {@link RunningPlane.isPortClosed}. */
  async isPortClosed(mux: number): Promise<boolean> {
    return await this.#plane?.isPortClosed(mux) ?? false;
  }

  /** Sends to those that are due in the table. */
  sendDue(): void {
    this.#plane?.sendDue();
  }

  /** Has the keys of a connection ready before its first packet. */
  async prepare(mux: number): Promise<void> {
    await this.#plane?.prepare(mux);
  }
}

function tunnelSettings(
  options: AnytunOptions,
  senderIds: readonly number[],
): TunnelSettings {
  const { cipher, kdPrf, authAlgo, tagLength } = options;
  const { device, keyChain, mux, allowWrap, noRoaming } = options;
  const { announce, engine, workers, offloads, sockets } = options;
  const { routing, anySource } = options.cluster;
  return {
    params: { cipher, kdPrf, authAlgo, tagLength },
    deviceType: device.type,
    ...{ mux, routing, anySource, senderIds, allowWrap },
    ...{ engine, workers, offloads, sockets },
    mtuDiscovery: options.mtuDiscovery,
    namespace: options.netns,
    chained: keyChain === undefined ? undefined : mux,
    roaming: !noRoaming,
    anycast: announce?.addresses.map(({ address }) => address.bytes),
  };
}

function opened<T>(thing: T | undefined): T {
  if (thing === undefined) {
    throw new Error("Cannot use a device before it is open");
  }
  return thing;
}

function listening<T>(where: string, bind: () => T): T {
  try {
    return bind();
  } catch (cause) {
    const reason = cause instanceof BindError ? cause.reason : reasonOf(cause);
    throw new Error(`Cannot listen on ${where}: ${reason}`, { cause });
  }
}
