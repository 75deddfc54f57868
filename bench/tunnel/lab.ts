/**
 * The lab: two network namespaces joined by a veth pair.
 *
 * @module
 */

import { run, type RunOptions } from "./process.ts";

/** The two ends of the lab. */
export type Side = "left" | "right";

/** Both ends, for loops. */
export const SIDES: readonly Side[] = ["left", "right"];

/** The addresses of the veth pair, from TEST-NET-1 (RFC 5737). */
export const OUTER: Readonly<Record<Side, string>> = {
  left: "192.0.2.1",
  right: "192.0.2.2",
};

/** The network namespace of a side. */
const NAMESPACE: Readonly<Record<Side, string>> = {
  left: "at-b-left",
  right: "at-b-right",
};

/** The veth device; it has the same name in both namespaces. */
const VETH = "at-b-veth";

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Two namespaces, the wire between them and a scratch directory. */
export class Lab implements AsyncDisposable {
  readonly #signal: AbortSignal;
  readonly #cleanup = new AsyncDisposableStack();
  #scratch = "";

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Builds the lab.
   *
   * @param signal ends every command that runs in the lab
   * @throws {Error} without root, or when the namespaces exist already
   */
  static async create(signal: AbortSignal): Promise<Lab> {
    const lab = new Lab(signal);
    try {
      await lab.#build();
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** A directory for key files, removed together with the lab. */
  get scratch(): string {
    return this.#scratch;
  }

  /** The command line that runs a command in a side's namespace. */
  within(side: Side, argv: readonly string[]): string[] {
    return ["ip", "netns", "exec", NAMESPACE[side], ...argv];
  }

  /** Runs a command in a side's namespace to its end; see {@link run}. */
  exec(
    side: Side,
    argv: readonly string[],
    options: Omit<RunOptions, "signal"> = {},
  ): Promise<string> {
    return run(this.within(side, argv), { ...options, signal: this.#signal });
  }

  /** Runs `ip` commands in a side's namespace, all in one process. */
  async ip(side: Side, commands: readonly string[]): Promise<void> {
    const input = commands.join("\n") + "\n";
    await this.exec(side, ["ip", "-batch", "-"], { input });
  }

  /**
   * Says whether the veth pair takes UDP super-packets whole, which hardly any
   * real network card does.
   */
  async setUdpSegmentation(on: boolean): Promise<void> {
    const state = on ? "on" : "off";
    for (const side of SIDES) {
      await this.exec(
        side,
        ["ethtool", "-K", VETH, "tx-udp-segmentation", state],
      );
    }
  }

  /** Removes what was built: namespaces, veth pair and scratch directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #build(): Promise<void> {
    const signal = this.#signal;
    this.#scratch = await Deno.makeTempDir({ prefix: "bench-tunnel-" });
    this.#cleanup.defer(() => Deno.remove(this.#scratch, { recursive: true }));
    for (const side of SIDES) {
      const name = NAMESPACE[side];
      if (await isThere(`/run/netns/${name}`)) {
        throw new Error(
          `Cannot make namespace ${name}: it exists already; end the other run, or remove it with "ip netns del ${name}"`,
        );
      }
      await run(["ip", "netns", "add", name], { signal });
      this.#cleanup.defer(async () => {
        await run(["ip", "netns", "del", name]);
      });
    }
    const peer = ["peer", "name", VETH, "netns", NAMESPACE.right];
    await this.exec(
      "left",
      ["ip", "link", "add", VETH, "type", "veth", ...peer],
    );
    for (const side of SIDES) {
      await this.ip(side, [
        `addr add ${OUTER[side]}/30 dev ${VETH}`,
        `link set lo up`,
        `link set ${VETH} up`,
      ]);
    }
  }
}
