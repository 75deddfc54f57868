import type { FloodOrder } from "./flood.ts";
import type { Station } from "./frames.ts";
import { Hosts, type LabHost } from "./host.ts";
import { type Sides, WIRE } from "./lab.ts";
import type { LabProcess } from "./process.ts";
import type { Harm } from "./scripts/cable.ts";
import type { Injection } from "./scripts/injector.ts";

/** Somebody on the bridge who belongs to neither side. */
export const STRANGER: Station = {
  mac: "02:00:00:00:00:66",
  address: "192.0.2.66",
  port: 6666,
};

const BRIDGE = "lan";
const MOUTH = "mouth";

/** The bridge of the right side alone, where there is a cable between both. */
const FAR_BRIDGE = "far";

/** The address of the host in the middle, where that is a router. */
const ROUTER = "192.0.2.3";

/**
 * Two hosts, and between them a bridge in other hands: whoever has it hears
 * everything, keeps from the other side what it likes, and sends under
 * anybody's address.
 */
export class HostileLab implements Sides, AsyncDisposable {
  readonly left: LabHost;
  readonly right: LabHost;
  readonly middle: LabHost;
  readonly #hosts: Hosts;
  #injector: LabProcess | undefined;

  private constructor(hosts: Hosts) {
    this.left = hosts.at(0);
    this.right = hosts.at(1);
    this.middle = hosts.at(2);
    this.#hosts = hosts;
  }

  /**
   * Makes the namespaces `at-<tag>` with a letter behind it.
   *
   * @throws {Error} A command failed; nothing is left behind.
   */
  static async open(tag: string): Promise<HostileLab> {
    const hosts = await Hosts.make([`${tag}l`, `${tag}r`, `${tag}m`]);
    const lab = new HostileLab(hosts);
    await hosts.connect(() => lab.#connect());
    return lab;
  }

  /** A side as datagrams are sent to it or, in its name, by somebody else. */
  async station(side: keyof Sides, port: number): Promise<Station> {
    const text = await this[side].ip("-j", "link", "show", WIRE);
    const [{ address: mac }]: [{ address: string }] = JSON.parse(text);
    return { mac, address: this[side].ipv4, port };
  }

  /** Keeps datagrams of a side for forgeries, while `traffic` makes some. */
  async record(
    side: keyof Sides,
    count: number,
    traffic: () => Promise<unknown>,
  ): Promise<void> {
    const injector = await this.#inject({
      ...{ do: "record", from: this[side].ipv4, count },
    });
    await this.#hub(true);
    await traffic();
    await injector.line(/^recorded/);
    await this.#hub(false);
  }

  /** Sends datagrams until {@link stopFlood}. */
  async flood(order: FloodOrder): Promise<void> {
    const injector = await this.#inject({ do: "flood", order });
    await injector.line(/^flooding/);
  }

  /** How many datagrams of the flood are sent. */
  async flooded(): Promise<number> {
    return await this.#answer({ do: "flooded" }, /^sent /);
  }

  /** Ends the flood. */
  async stopFlood(): Promise<void> {
    await this.#inject({ do: "stop" });
  }

  /** How many datagrams went to an address where the bridge heard them. */
  async heard(to: string): Promise<number> {
    return await this.#answer({ do: "heard", to }, /^heard /);
  }

  /** Lets nothing pass from side to side; the bridge still hears it. */
  async holdBack(on: boolean): Promise<void> {
    for (const port of ["left", "right"]) {
      const options = ["type", "bridge_slave", "isolated", on ? "on" : "off"];
      await this.middle.ip("link", "set", port, ...options);
    }
  }

  /** Puts a cable between both sides that harms what the right one sends. */
  async harm(harm: Harm): Promise<void> {
    const { middle } = this;
    const args = ["right-end", "left-end", "tap", JSON.stringify(harm)];
    await middle.script("cable.ts", ...args).line(/^joined/);
    await middle.ip("link", "add", FAR_BRIDGE, "up", "type", "bridge");
    await middle.ip("link", "set", "right", "master", FAR_BRIDGE);
    await middle.ip("link", "set", "right-end", "master", FAR_BRIDGE, "up");
    await middle.ip("link", "set", "left-end", "master", BRIDGE, "up");
  }

  /**
   * Puts a router between both sides that takes only smaller packets to the
   * right, and says what would be right (RFC 1191).
   */
  async narrow(mtu: number): Promise<void> {
    const { left, right, middle } = this;
    await middle.exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
    await middle.ip("link", "set", "right", "nomaster");
    // Not the MTU of the device: it would hold for what it receives as well.
    const there = [right.ipv4, "dev", "right", "src", ROUTER];
    await middle.ip("route", "add", ...there, "mtu", `${mtu}`);
    await left.ip("route", "add", right.ipv4, "via", ROUTER);
    await right.ip("route", "add", left.ipv4, "via", ROUTER);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
  }

  async #answer(injection: Injection, pattern: RegExp): Promise<number> {
    const seen = this.#injector?.lines.length ?? 0;
    const injector = await this.#inject(injection);
    const said = await injector.line(pattern, undefined, seen);
    return Number(said.split(" ")[1]);
  }

  async #inject(injection: Injection): Promise<LabProcess> {
    const injector = this.#injector ??= await this.#startInjector();
    await injector.tell(JSON.stringify(injection));
    return injector;
  }

  async #startInjector(): Promise<LabProcess> {
    const injector = this.middle.script("injector.ts", MOUTH);
    await injector.line(/^listening/);
    await this.middle.ip("link", "set", MOUTH, "master", BRIDGE, "up");
    return injector;
  }

  /** A bridge that forgets at once who is where sends everything everywhere. */
  async #hub(on: boolean): Promise<void> {
    const ageing = ["type", "bridge", "ageing_time", on ? "0" : "30000"];
    await this.middle.ip("link", "set", BRIDGE, ...ageing);
  }

  async #connect(): Promise<void> {
    const { middle } = this;
    await middle.ip("link", "add", BRIDGE, "type", "bridge");
    await middle.address(BRIDGE, `${ROUTER}/24`);
    for (const side of ["left", "right"] as const) {
      const host = this[side];
      await host.join(WIRE, middle, side);
      await middle.ip("link", "set", side, "master", BRIDGE, "up");
      await host.address(WIRE, `${host.ipv4}/24`);
      await host.address(WIRE, `${host.ipv6}/64`);
      const stranger = [STRANGER.address, "lladdr", STRANGER.mac];
      await host.ip("neigh", "add", ...stranger, "dev", WIRE);
    }
  }
}
