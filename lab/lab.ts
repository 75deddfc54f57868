import { LabKeeper } from "./keeper.ts";
import { LabProcess } from "./process.ts";

/** The name of the network device that joins the two hosts of a lab. */
const WIRE = "wire";

/** How long a command that ought to end by itself may take, in seconds. */
const COMMAND_SECONDS = 10;

/**
 * One host of a lab: a network namespace with an address of either family on
 * its end of the cable.
 */
export class LabHost {
  /** The name of the network namespace. */
  readonly namespace: string;
  /** The address on the cable, out of RFC 5737's range for documentation. */
  readonly ipv4: string;
  /** The address on the cable, out of RFC 3849's range for documentation. */
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
    return run("ip", ["netns", "exec", this.namespace, program, ...args]);
  }

  /** Runs `ip` with this host's network. */
  ip(...args: string[]): Promise<string> {
    return run("ip", ["-n", this.namespace, ...args]);
  }

  /** Starts a program on this host; the lab ends it if nobody else does. */
  spawn(program: string, ...args: string[]): LabProcess {
    return this.#spawn(program.replace(/.*\//, ""), program, args);
  }

  /**
   * Starts a module of lab/scripts on this host.
   *
   * @param module File name, such as `traffic.ts`.
   */
  script(module: string, ...args: string[]): LabProcess {
    const path = new URL(`./scripts/${module}`, import.meta.url).pathname;
    const flags = ["--quiet", "--no-prompt", "--no-lock", "--unstable-net"];
    return this.#spawn(
      [module, ...args].join(" "),
      Deno.execPath(),
      ["run", ...flags, "--allow-net", "--allow-ffi", path, ...args],
    );
  }

  /**
   * Sends ICMP echo requests, five a second, until one is answered.
   *
   * @throws {Error} No answer came in time.
   */
  async ping(address: string, seconds = 10): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const left = Math.max(1, Math.ceil((end - performance.now()) / 1000));
      const limits = ["-c", "1", "-i", "0.2", "-w", String(left)];
      try {
        return void await this.exec("ping", "-n", "-q", ...limits, address);
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

  /** Ends whatever was started on this host and still runs. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  #spawn(what: string, program: string, args: readonly string[]): LabProcess {
    const process = new LabProcess({
      title: `${what} on ${this.namespace}`,
      program: "ip",
      args: ["netns", "exec", this.namespace, program, ...args],
    });
    this.#processes.push(process);
    return process;
  }
}

/**
 * Two hosts, joined by a cable of their own and cut off from everything else:
 * two network namespaces with a veth pair between them.
 *
 * Leaving the scope of `await using` removes all of it, and so does the end
 * of this process, however it comes.
 */
export class Lab implements AsyncDisposable {
  readonly left: LabHost;
  readonly right: LabHost;
  readonly #keeper: LabKeeper;

  private constructor(left: LabHost, right: LabHost, keeper: LabKeeper) {
    this.left = left;
    this.right = right;
    this.#keeper = keeper;
  }

  /**
   * Makes the namespaces `at-<tag>a` and `at-<tag>b`.
   *
   * @throws {Error} A command failed, for instance for want of privileges;
   * nothing is left behind.
   */
  static async open(tag: string): Promise<Lab> {
    const left = new LabHost(`at-${tag}a`, 1);
    const right = new LabHost(`at-${tag}b`, 2);
    const keeper = await LabKeeper.make([left.namespace, right.namespace]);
    const lab = new Lab(left, right, keeper);
    try {
      await lab.#connect();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all([this.left.stopAll(), this.right.stopAll()]);
    } finally {
      await this.#keeper.release();
    }
  }

  async #connect(): Promise<void> {
    const { left, right } = this;
    const end = (host: LabHost) => ["name", WIRE, "netns", host.namespace];
    const veth = [...end(left), "type", "veth", "peer", ...end(right)];
    await run("ip", ["link", "add", ...veth]);
    await Promise.all([left, right].map(plugIn));
  }
}

/** Brings up the loopback device and this host's end of the cable. */
async function plugIn(host: LabHost): Promise<void> {
  await host.ip("link", "set", "lo", "up");
  await host.ip("link", "set", WIRE, "up");
  await host.ip("addr", "add", `${host.ipv4}/24`, "dev", WIRE);
  // Without duplicate address detection (RFC 4862 section 5.4) the address
  // can be used at once.
  await host.ip("addr", "add", `${host.ipv6}/64`, "dev", WIRE, "nodad");
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    signal: AbortSignal.timeout(COMMAND_SECONDS * 1000),
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  const said = [stdout, stderr].map((part) => text.decode(part).trim());
  throw new Error(
    `Cannot run ${program} ${args.join(" ")}: ${said.join(" ").trim()}`,
  );
}
