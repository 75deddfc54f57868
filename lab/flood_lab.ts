import { identityOf } from "./certificates.ts";
import { startDaemon } from "./daemons.ts";
import { Hosts, type LabHost } from "./host.ts";
import type { LabProcess } from "./process.ts";
import type { Harm } from "./scripts/cable.ts";

const PORT = 2323;

/** Addresses that an attacker can have at a time, a /48 for each. */
const NETWORKS = 64;

/** One way of the delayed cable, in milliseconds. */
const DELAY_MS = 50;

/** The addresses of the server, one for each way to it. */
const SERVER = { attacked: "192.0.2.1", member: "198.51.100.1" } as const;

/** The member's address (RFC 5737). */
const MEMBER = "198.51.100.2";

/**
 * A sync server, a member 100 ms away from it and back, and an attacker nearby
 * with one address, or with many.
 */
export class FloodLab implements AsyncDisposable {
  readonly server: LabHost;
  readonly member: LabHost;
  readonly attacker: LabHost;
  readonly #hosts: Hosts;

  private constructor(hosts: Hosts) {
    this.server = hosts.at(0);
    this.member = hosts.at(1);
    this.attacker = hosts.at(2);
    this.#hosts = hosts;
  }

  /**
   * Makes the namespaces `at-<tag>` with a letter behind it.
   *
   * @throws {Error} A command failed; nothing is left behind.
   */
  static async open(tag: string): Promise<FloodLab> {
    const hosts = await Hosts.make([`${tag}s`, `${tag}m`, `${tag}x`]);
    const lab = new FloodLab(hosts);
    await hosts.connect(() => lab.#connect());
    return lab;
  }

  /** Starts a control daemon that listens everywhere. */
  async startServer(options: readonly string[]): Promise<LabProcess> {
    const args = ["controld", "-D", "-L", "stdout:4", "-X", `[::]:${PORT}`];
    const server = startDaemon(this.server, [...args, ...options]);
    await server.line(/sync server listening on/, 30);
    return server;
  }

  /**
   * Opens 500 connections a second from now on.
   *
   * @param beginning What each of them sends
   * @param from How many addresses they come from
   */
  async flood(
    beginning: "nothing" | "hello",
    from: "one address" | "many networks" = "one address",
  ): Promise<LabProcess> {
    const hosts = from === "one address"
      ? [SERVER.attacked]
      : networks().map(targetOf);
    const args = [hosts.join(), `${PORT}`, "500", beginning];
    const flood = this.attacker.script("connection_flood.ts", ...args);
    await flood.line(/^flooding/, 30);
    return flood;
  }

  /**
   * Has the member ask the server, one time after the other.
   *
   * @returns What came of each time
   */
  async ask(times: number, as: "alice" | "nobody"): Promise<string[]> {
    const args = [SERVER.member, `${PORT}`, `${times}`];
    const member = this.member.script("member.ts", ...args);
    const identity = as === "nobody" ? null : identityOf(as);
    await member.tell(JSON.stringify(identity));
    await member.line(/^done/, 30 * times);
    return member.lines.filter((line) => /^(got|failed)/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
  }

  async #connect(): Promise<void> {
    const { server, member, attacker } = this;
    await server.join("wire", attacker, "wire");
    await server.address("wire", `${SERVER.attacked}/24`);
    await attacker.address("wire", `${attacker.ipv4}/24`);
    await this.#spread();
    const harm: Harm = { delayMs: DELAY_MS };
    const cable = ["near", "far", "tun", JSON.stringify(harm)];
    await member.script("cable.ts", ...cable).line(/^joined/, 30);
    await member.ip("link", "set", "far", "netns", server.namespace);
    await member.address("near", `${MEMBER}/24`);
    await server.address("far", `${SERVER.member}/24`);
    await member.ping(SERVER.member);
  }

  /** Gives the attacker its networks: the way out decides on the address. */
  async #spread(): Promise<void> {
    const { server, attacker } = this;
    const [here, there] = ["2001:db8::1", "2001:db8::2"];
    await server.address("wire", `${here}/64`);
    await attacker.address("wire", `${there}/64`);
    await server.ip("route", "add", "2001:db8:8000::/33", "via", there);
    await Promise.all(
      networks().map(async (k) => {
        const [own, target] = [`2001:db8:${hex(0x8000 + k)}::1`, targetOf(k)];
        const source = ["via", here, "src", own];
        await server.ip("addr", "add", `${target}/128`, "dev", "lo", "nodad");
        await attacker.ip("addr", "add", `${own}/128`, "dev", "lo", "nodad");
        await attacker.ip("route", "add", `${target}/128`, ...source);
      }),
    );
  }
}

function networks(): number[] {
  return Array.from({ length: NETWORKS }, (_, k) => k);
}

/** The server's address that the attacker reaches from its k-th network. */
function targetOf(k: number): string {
  return `2001:db8:0:ffff::${hex(k + 1)}`;
}

function hex(word: number): string {
  return word.toString(16);
}
