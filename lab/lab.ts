import { Hosts, type LabHost } from "./host.ts";

/** The name of the network device at each end of the cable. */
export const WIRE = "wire";

/** Two hosts that reach each other, however that is. */
export interface Sides {
  readonly left: LabHost;
  readonly right: LabHost;
}

/**
 * Two hosts, joined by a cable of their own, with an address of either family
 * at each end of it.
 */
export class Lab implements Sides, AsyncDisposable {
  readonly left: LabHost;
  readonly right: LabHost;
  readonly #hosts: Hosts;

  private constructor(hosts: Hosts) {
    this.left = hosts.at(0);
    this.right = hosts.at(1);
    this.#hosts = hosts;
  }

  /**
   * Makes the namespaces `at-<tag>a` and `at-<tag>b`.
   *
   * @throws {Error} A command failed, for instance for want of privileges;
   * nothing is left behind.
   */
  static async open(tag: string): Promise<Lab> {
    const hosts = await Hosts.make([`${tag}a`, `${tag}b`]);
    const lab = new Lab(hosts);
    await hosts.connect(() => lab.#connect());
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
  }

  async #connect(): Promise<void> {
    const { left, right } = this;
    await left.join(WIRE, right, WIRE);
    for (const host of [left, right]) {
      await host.address(WIRE, `${host.ipv4}/24`);
      await host.address(WIRE, `${host.ipv6}/64`);
    }
  }
}
