import { LabKeeper } from "./keeper.ts";
import {
  LabProcess,
  type Outcome,
  outcomeOf,
  PATIENCE_SECONDS,
  run,
  type RunOptions,
} from "./process.ts";

/** What a module of lab/scripts may do, if nothing else is said. */
const SCRIPT_FLAGS = ["--allow-net", "--allow-ffi", "--unstable-net"];

/**
 * The command that runs a module of lab/scripts.
 *
 * @param module File name, such as `traffic.ts`.
 */
export function scriptCommand(
  module: string,
  flags: readonly string[] = SCRIPT_FLAGS,
): string[] {
  const path = new URL(`./scripts/${module}`, import.meta.url).pathname;
  const usual = ["--quiet", "--no-prompt", "--no-lock"];
  return [Deno.execPath(), "run", ...usual, ...flags, path];
}

/** One host of a lab: a network namespace. */
export class LabHost {
  /** The name of the network namespace. */
  readonly namespace: string;
  /** Its address on a first cable, out of RFC 5737's for documentation. */
  readonly ipv4: string;
  /** Its address on a first cable, out of RFC 3849's for documentation. */
  readonly ipv6: string;
  readonly #processes: LabProcess[] = [];

  constructor(namespace: string, number: number) {
    this.namespace = namespace;
    this.ipv4 = `192.0.2.${number}`;
    this.ipv6 = `2001:db8::${number}`;
  }

  /**
   * Runs a command on this host to its end.
   *
   * @returns What it wrote to standard output.
   * @throws {Error} It failed; the message holds what it said.
   */
  exec(program: string, ...args: string[]): Promise<string> {
    return this.run([program, ...args]);
  }

  /** Does the same with input, or with more time. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return run(this.#here(argv), options);
  }

  /** Does the same with a command that may fail, and returns how it ended. */
  outcome(
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<Outcome> {
    return outcomeOf(this.#here(argv), options);
  }

  /** Runs `ip` with this host's network. */
  ip(...args: string[]): Promise<string> {
    return run(["ip", "-n", this.namespace, ...args]);
  }

  /** Starts a program on this host; the lab ends it if nobody else does. */
  spawn(program: string, ...args: string[]): LabProcess {
    return this.#spawn(program.replace(/.*\//, ""), [program, ...args]);
  }

  /**
   * Starts a module of lab/scripts on this host.
   *
   * @param module File name, such as `traffic.ts`.
   */
  script(module: string, ...args: string[]): LabProcess {
    const argv = [...scriptCommand(module), ...args];
    return this.#spawn([module, ...args].join(" "), argv);
  }

  /**
   * Sends ICMP echo requests, five a second, until one is answered.
   *
   * @throws {Error} No answer came in time.
   */
  async ping(address: string, seconds = PATIENCE_SECONDS): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const left = Math.max(1, Math.ceil((end - performance.now()) / 1000));
      const limits = ["-c", "1", "-i", "0.2", "-w", String(left)];
      const argv = ["ping", "-n", "-q", ...limits, address];
      try {
        return void await this.run(argv, { seconds: left + PATIENCE_SECONDS });
      } catch (error) {
        // ping gives up early where the neighbour was not found at first.
        if (performance.now() >= end) throw error;
      }
    }
  }

  /** Tells whether a network device of that name exists. */
  async hasDevice(name: string): Promise<boolean> {
    const links: { ifname: string }[] = JSON.parse(await this.ip("-j", "link"));
    return links.some(({ ifname }) => ifname === name);
  }

  /** Lays a cable to another host, one network device at each end of it. */
  async join(
    device: string,
    other: LabHost,
    otherDevice: string,
  ): Promise<void> {
    const peer = ["peer", "name", otherDevice, "netns", other.namespace];
    await this.ip("link", "add", device, "type", "veth", ...peer);
  }

  /** Gives a device an address with its prefix length, and brings it up. */
  async address(device: string, prefix: string): Promise<void> {
    // Without duplicate address detection (RFC 4862 section 5.4) the address
    // can be used at once.
    const flags = prefix.includes(":") ? ["nodad"] : [];
    await this.ip("addr", "add", prefix, "dev", device, ...flags);
    await this.ip("link", "set", device, "up");
  }

  /** Ends whatever was started on this host and still runs. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  #spawn(what: string, argv: readonly string[]): LabProcess {
    const [program = "", ...args] = this.#here(argv);
    const title = `${what} on ${this.namespace}`;
    const process = new LabProcess({ title, program, args });
    this.#processes.push(process);
    return process;
  }

  #here(argv: readonly string[]): readonly string[] {
    return ["ip", "netns", "exec", this.namespace, ...argv];
  }
}

/**
 * Hosts that come and go together, cut off from everything else. They go, with
 * all that runs on them, when they are disposed of and when this process ends,
 * however that comes.
 */
export class Hosts implements AsyncDisposable {
  readonly #hosts: readonly LabHost[];
  readonly #keeper: LabKeeper;

  private constructor(hosts: readonly LabHost[], keeper: LabKeeper) {
    this.#hosts = hosts;
    this.#keeper = keeper;
  }

  /**
   * Makes a namespace `at-<name>` for each name; their addresses count from 1.
   *
   * @throws {Error} One of them could not be made; none is left behind.
   */
  static async make(names: readonly string[]): Promise<Hosts> {
    const hosts = names.map((name, k) => new LabHost(`at-${name}`, k + 1));
    const keeper = await LabKeeper.make(hosts.map((host) => host.namespace));
    return new Hosts(hosts, keeper);
  }

  /** The host of that name's place in the list. */
  at(index: number): LabHost {
    const host = this.#hosts[index];
    if (host === undefined) throw new Error(`Cannot find host ${index}`);
    return host;
  }

  /**
   * Does what makes a lab of the hosts.
   *
   * @throws {Error} It failed; nothing is left behind.
   */
  async connect(work: () => Promise<void>): Promise<void> {
    try {
      for (const host of this.#hosts) await host.ip("link", "set", "lo", "up");
      await work();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all(this.#hosts.map((host) => host.stopAll()));
    } finally {
      await this.#keeper.release();
    }
  }
}
