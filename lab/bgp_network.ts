import { type Block, blocksOf } from "./document_blocks.ts";
import { Hosts, type LabHost } from "./host.ts";
import type { Routing, RoutingProgram } from "./routing_programs.ts";
import { until } from "./until.ts";

/** The address that the network brings to one of the servers (RFC 5737). */
export const ANYCAST = "198.51.100.1";

/** And that of a network in dual stack (RFC 3849). */
export const ANYCAST6 = "2001:db8:1::1";

/** The host that the client wants to reach through the tunnel. */
export const HOME = "10.77.0.254";

/** The device that has the address while a server is to have traffic. */
export const ANYCAST_DEVICE = "anycast0";

/** The numbers of all servers. */
export const SERVERS: readonly number[] = [1, 2, 3];

const ROUTER = "192.0.2.1";
const ROUTER6 = "2001:db8::1";

/** What servers' addresses begin with in IPv6. */
const SERVER6 = ["2001:db8::", "fe80::"];

/** How long routers may take to find each other, in seconds. */
const MEETING_SECONDS = 60;

/** The configuration of routing daemons is what operators are shown. */
const DOCUMENT = new URL("../docs/anycast.md", import.meta.url);

/** How a network differs from another one. */
export interface BgpNetworkOptions {
  readonly routing: RoutingProgram;
  /** What servers run where that is for the router alone, in their order. */
  readonly servers?: readonly RoutingProgram[];
  /** Whether all servers have traffic at once, by equal cost. */
  readonly ecmp?: boolean;
  /** Whether servers announce the IPv6 address, too. */
  readonly ipv6?: boolean;
  /** From one BFD packet to the next, in ms, in place of what is usual. */
  readonly bfd?: number;
}

/** What the document has for BFD, in ms. */
const USUAL_BFD = 50;

/** How the cable of a server is cut. */
export type Cut = "carrier" | "silent";

/**
 * Hosts of servers that announce one address to a router by BGP:
 *
 * ```
 *   client ---- router ---- home
 *                 |
 *      ---------------------
 *      |         |         |
 *   server 1  server 2  server 3
 * ```
 *
 * A server stands on one leg: what comes out of the tunnel goes to home by the
 * router, which brings answers to whichever server it sends the address to.
 * So there is one route that decides about both ways.
 */
export class BgpNetwork implements AsyncDisposable {
  readonly client: LabHost;
  readonly router: LabHost;
  readonly home: LabHost;
  readonly servers: readonly LabHost[];
  readonly #hosts: Hosts;
  readonly #folder: string;
  readonly #options: BgpNetworkOptions;
  readonly #blocks: readonly Block[];

  private constructor(
    hosts: Hosts,
    folder: string,
    options: BgpNetworkOptions,
  ) {
    this.router = hosts.at(0);
    this.servers = SERVERS.map((k) => hosts.at(k));
    this.client = hosts.at(SERVERS.length + 1);
    this.home = hosts.at(SERVERS.length + 2);
    this.#hosts = hosts;
    this.#folder = folder;
    this.#options = options;
    this.#blocks = blocksOf(Deno.readTextFileSync(DOCUMENT));
  }

  /**
   * Makes the namespaces `at-<tag>` with a letter or number behind it, and
   * waits until all servers have found the router.
   *
   * @throws {Error} A command failed; nothing is left behind.
   */
  static async open(
    tag: string,
    options: BgpNetworkOptions,
  ): Promise<BgpNetwork> {
    const names = ["r", ...SERVERS, "c", "h"];
    const hosts = await Hosts.make(names.map((name) => `${tag}${name}`));
    const folder = await Deno.makeTempDir({ prefix: "anytun-bgp-" });
    // Routing daemons become users of their own.
    await Deno.chmod(folder, 0o755);
    const network = new BgpNetwork(hosts, folder, options);
    try {
      await hosts.connect(() => network.#connect());
      await network.#startRouting();
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** The server of that number, counted from 1. */
  server(number: number): LabHost {
    const host = this.servers[number - 1];
    if (host === undefined) throw new Error(`Cannot find server ${number}`);
    return host;
  }

  /** A file for a server, such as its socket; gone with the network. */
  file(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** Sets up what a daemon needs that leaves the address to others. */
  async prepare(number: number): Promise<void> {
    const server = this.server(number);
    // What still comes after a withdrawal is for this host, too.
    await server.ip("route", "add", "local", ANYCAST, "dev", "lo");
    await addDummy(server, ANYCAST_DEVICE);
  }

  /** Gives a server's device the address, by hand. */
  async announce(number: number): Promise<void> {
    await this.server(number)
      .ip("addr", "replace", `${ANYCAST}/32`, "dev", ANYCAST_DEVICE);
  }

  /** Takes it away again. */
  async withdraw(number: number): Promise<void> {
    await this.server(number)
      .ip("addr", "del", `${ANYCAST}/32`, "dev", ANYCAST_DEVICE);
  }

  /** The addresses that servers announce. */
  get addresses(): readonly string[] {
    return this.#options.ipv6 ? [ANYCAST, ANYCAST6] : [ANYCAST];
  }

  /** The servers that the router's kernel sends an address to, in order. */
  async chosen(address = ANYCAST): Promise<readonly number[]> {
    const family = address.includes(":") ? "-6" : "-4";
    const show = ["-j", family, "route", "show", prefixOf(address)];
    const [route]: Route[] = JSON.parse(await this.router.ip(...show) || "[]");
    const hops = route?.nexthops ?? (route === undefined ? [] : [route]);
    return SERVERS.filter((k) =>
      hops.some(({ gateway }) => isAddressOf(k, gateway))
    );
  }

  /** The servers whose device has the address, in order. */
  async announced(): Promise<readonly number[]> {
    const show = ["-o", "addr", "show", "to", `${ANYCAST}/32`];
    const texts = await Promise.all(
      this.servers.map((server) => server.ip(...show)),
    );
    return SERVERS.filter((k) => texts[k - 1]?.includes(ANYCAST_DEVICE));
  }

  /** Waits until the router sends all addresses to exactly these servers. */
  async choose(...servers: readonly number[]): Promise<void> {
    const wanted = servers.toSorted().join();
    let seen = "";
    const isChosen = async (address: string) => {
      const chosen = (await this.chosen(address)).join();
      seen = `${address} to ${chosen}`;
      return chosen === wanted;
    };
    for (const address of this.addresses) {
      await until(
        () => `the router sends to ${wanted}, not ${seen}`,
        MEETING_SECONDS,
        () => isChosen(address),
      );
    }
  }

  /**
   * Lets nothing pass between a server and the others and the router.
   *
   * @param how By the carrier, which the server sees vanish, or silently.
   */
  async cut(number: number, how: Cut): Promise<void> {
    if (how === "silent") await this.#lose(number, "add");
    else await this.router.ip("link", "set", `server${number}`, "down");
  }

  /** Lets everything pass again that was cut like this. */
  async heal(number: number, how: Cut): Promise<void> {
    if (how === "silent") await this.#lose(number, "del");
    else await this.router.ip("link", "set", `server${number}`, "up");
  }

  /** Lets nothing pass between a server and all others. */
  async cutSync(number: number): Promise<void> {
    await this.#eachOther(number, "add");
  }

  /** Lets everything pass again. */
  async healSync(number: number): Promise<void> {
    await this.#eachOther(number, "del");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /**
   * At both ends of the cable. If the port only left the bridge, the router
   * would lose its neighbours, and its kernel send to another server at once.
   */
  async #lose(number: number, what: "add" | "del"): Promise<void> {
    const ends = [
      [this.router, `server${number}`],
      [this.server(number), "eth0"],
    ] as const;
    for (const [host, device] of ends) {
      const end = ["dev", device, "root", "blackhole"];
      await host.exec("tc", "qdisc", what, ...end);
    }
  }

  async #eachOther(number: number, what: "add" | "del"): Promise<void> {
    for (const k of SERVERS.filter((k) => k !== number)) {
      const [here, there] = [this.server(number), this.server(k)];
      await here.ip("route", what, "blackhole", serverAddress(k));
      await there.ip("route", what, "blackhole", serverAddress(number));
    }
  }

  async #connect(): Promise<void> {
    const { client, router, home } = this;
    await forward(router);
    await router.ip("link", "add", "lan", "type", "bridge");
    await router.address("lan", `${ROUTER}/24`);
    await router.address("lan", `${ROUTER6}/64`);
    await this.#attach(client, "client", "203.0.113.9", "203.0.113.1");
    await client.address("eth0", "2001:db8:c::9/64");
    await router.address("client", "2001:db8:c::1/64");
    await client.ip("-6", "route", "add", "default", "via", "2001:db8:c::1");
    await this.#attach(home, "home", HOME, "10.77.0.1");
    for (const k of SERVERS) await this.#connectServer(k);
  }

  async #attach(
    host: LabHost,
    port: string,
    address: string,
    gateway: string,
  ): Promise<void> {
    await host.join("eth0", this.router, port);
    await host.address("eth0", `${address}/24`);
    await this.router.address(port, `${gateway}/24`);
    await host.ip("route", "add", "default", "via", gateway);
  }

  async #connectServer(k: number): Promise<void> {
    const [server, port] = [this.server(k), `server${k}`];
    await forward(server);
    await server.join("eth0", this.router, port);
    await server.address("eth0", `${serverAddress(k)}/24`);
    // Routers may send to link-local addresses, which are to be known.
    await server.ip("link", "set", "eth0", "addrgenmode", "none");
    for (const prefix of SERVER6) {
      await server.address("eth0", `${prefix}${k + 1}/64`);
    }
    await this.router.ip("link", "set", port, "master", "lan", "up");
    await server.ip("route", "add", "default", "via", ROUTER);
    await server.ip("-6", "route", "add", "default", "via", ROUTER6);
  }

  async #startRouting(): Promise<void> {
    const { routing, servers } = this.#options;
    const [router] = await Promise.all([
      this.#start(routing, this.router, "router", this.#routerConfig()),
      ...SERVERS.map((k) => {
        const program = servers?.[k - 1] ?? routing;
        const config = this.#config(program, "server1")
          .replaceAll(serverAddress(1), serverAddress(k));
        return this.#start(program, this.server(k), `server${k}`, config);
      }),
    ]);
    await this.#meet(router);
  }

  async #start(
    program: RoutingProgram,
    host: LabHost,
    name: string,
    config: string,
  ): Promise<Routing> {
    const folder = this.file(`${name}-routing`);
    await Deno.mkdir(folder);
    return await program.start(host, folder, config);
  }

  async #meet(router: Routing): Promise<void> {
    const wanted = SERVERS.map(serverAddress).join();
    let met = "";
    await until(
      () => `the router has met ${wanted}, only ${met}`,
      MEETING_SECONDS,
      async () => {
        met = (await router.neighbours()).toSorted().join();
        return met === wanted;
      },
    );
  }

  /** The document says what differs with equal cost. */
  #routerConfig(): string {
    const { ecmp = false, routing } = this.#options;
    const config = this.#config(routing, "router");
    if (routing.name === "bird") {
      return ecmp ? config.replaceAll("# merge paths", "merge paths") : config;
    }
    return ecmp ? config.replaceAll("-paths 1", "-paths 8") : config;
  }

  #withBfd(text: string): string {
    const { bfd = USUAL_BFD } = this.#options;
    const usual = new RegExp(`(interval) ${USUAL_BFD}\\b`, "g");
    if (!usual.test(text)) throw new Error(`Cannot find BFD in ${text}`);
    return text.replaceAll(usual, `$1 ${bfd}`);
  }

  /** What the document has in the file of the routing daemon on a host. */
  #config({ name }: RoutingProgram, host: string): string {
    const block = this.#blocks.find(({ language, words }) =>
      language === name && words[0] === host
    );
    if (block !== undefined) return this.#withBfd(block.text);
    throw new Error(`Cannot find ${name} on ${host} in ${DOCUMENT.pathname}`);
  }
}

interface NextHop {
  readonly gateway?: string;
}

/** What `ip -j route` tells of a route. */
interface Route extends NextHop {
  readonly nexthops?: readonly NextHop[];
}

/** A server's own address on the network with the router. */
export function serverAddress(number: number): string {
  return `192.0.2.${number + 1}`;
}

function isAddressOf(server: number, address = ""): boolean {
  const ipv6 = SERVER6.map((prefix) => `${prefix}${server + 1}`);
  return [serverAddress(server), ...ipv6].includes(address);
}

/** An address that is announced, as routes have it. */
export function prefixOf(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}

/** A device that leads nowhere; not each kernel has the one for that. */
async function addDummy(host: LabHost, device: string): Promise<void> {
  const add = (type: string) => host.ip("link", "add", device, "type", type);
  await add("dummy").catch(() => add("bridge"));
  await host.ip("link", "set", device, "up");
}

async function forward(host: LabHost): Promise<void> {
  // Answers may take another way than what they answer.
  await host.exec(
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv4.fib_multipath_hash_policy=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv6.fib_multipath_hash_policy=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
  );
}
