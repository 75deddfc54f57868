import assert from "node:assert/strict";
import type { Lab } from "../../lab/lab.ts";
import type { LabHost } from "../../lab/host.ts";
import type { LabProcess } from "../../lab/process.ts";
import type { OrderReport } from "../../lab/scripts/numbered.ts";
import type { CopyReport } from "../../lab/scripts/traffic.ts";
import { scriptCommand } from "../../lab/host.ts";
import type { TunnelCounts, TunnelTask } from "../../lab/scripts/tunnels.ts";
import { labTest } from "../../lab/test_case.ts";
import type { TunnelOptions } from "../../mod.ts";

const CLIENTS = [1, 2, 3, 4];
const HUB_PORT = 4444;
const ECHO_PORT = 7000;
const COPY_PORT = 7001;

/** The smallest window that tests here use: it forgives no long delays. */
const WINDOW = 64;
const COPY_BYTES = 16 << 20;
const FLOWS = 3;
const ROUNDS = 15;

const hubAddress = (client: number) => `10.0.0.${client}`;
const clientAddress = (client: number) => `10.0.${client}.1`;

/** A tunnel with several connections on the left, clients on the right. */
class Star {
  readonly #lab: Lab;
  readonly #hub: LabProcess;
  readonly #clients: LabProcess;

  static async open(lab: Lab, hub: TunnelOptions): Promise<Star> {
    const { left, right } = lab;
    const star = new Star(
      lab,
      start(left, [hubTask(left, hub)]),
      start(right, CLIENTS.map((client) => clientTask(lab, client))),
    );
    await star.#hub.line(/^ready$/);
    await star.#clients.line(/^ready$/);
    for (const client of CLIENTS) {
      const [near, far] = [hubAddress(client), clientAddress(client)];
      const network = `10.0.${client}.0/24`;
      await left.ip("route", "add", network, "dev", "hub", "src", near);
      await right.ip("route", "add", near, "dev", `c${client}`, "src", far);
      // The hub learns where the client is.
      await right.ping(near);
    }
    return star;
  }

  private constructor(lab: Lab, hub: LabProcess, clients: LabProcess) {
    this.#lab = lab;
    this.#hub = hub;
    this.#clients = clients;
  }

  /** What the hub has said so far. */
  get log(): readonly string[] {
    return this.#hub.lines;
  }

  async counts(): Promise<readonly TunnelCounts[]> {
    return await Promise.all(
      [this.#hub, this.#clients].map((process) => asked<TunnelCounts>(process)),
    );
  }

  /** Numbered datagrams both ways, and what each end has seen. */
  async exchange(): Promise<readonly OrderReport[]> {
    const { left, right } = this.#lab;
    const echoing = right.script("numbered.ts", "echo", `${ECHO_PORT}`);
    await echoing.line(/^echoing$/);
    const hosts = CLIENTS.map(clientAddress);
    const order = [`${ECHO_PORT}`, `${FLOWS}`, `${ROUNDS}`, ...hosts];
    const command = scriptCommand("numbered.ts");
    const text = await left.run([...command, "ask", ...order]);
    return [JSON.parse(text), await asked<OrderReport>(echoing)];
  }

  /** Copies with all clients at a time, both ways. */
  async copy(): Promise<readonly CopyReport[]> {
    const { left, right } = this.#lab;
    const serving = [left, right].map((host) =>
      host.script("traffic.ts", "serve", `${COPY_PORT}`)
    );
    for (const process of serving) await process.line(/^serving$/);
    const limits = [`${COPY_PORT}`, `${COPY_BYTES}`, "60"];
    const send = async (from: LabHost, to: string): Promise<CopyReport> => {
      const command = scriptCommand("traffic.ts");
      return JSON.parse(await from.run([...command, "send", to, ...limits]));
    };
    return await Promise.all([
      // Several flows to one client: workers send for it at the same time.
      ...CLIENTS.slice(0, 2).flatMap((client) =>
        Array.from({ length: FLOWS }, () => send(left, clientAddress(client)))
      ),
      ...CLIENTS.map((client) => send(right, hubAddress(client))),
    ]);
  }
}

function start(host: LabHost, tasks: readonly TunnelTask[]): LabProcess {
  const flags = ["--allow-net", "--allow-ffi", "--allow-read"];
  const [program = "", ...args] = scriptCommand("tunnels.ts", flags);
  return host.spawn(program, ...args, JSON.stringify(tasks));
}

function hubTask(host: LabHost, options: TunnelOptions): TunnelTask {
  const addresses = CLIENTS.map((client) => `${hubAddress(client)}/32`);
  return {
    options: {
      role: "left",
      routing: true,
      port: HUB_PORT,
      addresses: [host.ipv4],
      device: { name: "hub", addresses },
      ...options,
    },
    connections: CLIENTS.map((mux) => {
      return { mux, windowSize: WINDOW, prefixes: [`10.0.${mux}.0/24`] };
    }),
  };
}

function clientTask({ left, right }: Lab, mux: number): TunnelTask {
  const remote = `${left.ipv4}:${HUB_PORT}`;
  return {
    options: {
      role: "right",
      mux,
      port: HUB_PORT + mux,
      workers: 1,
      addresses: [right.ipv4],
      device: { name: `c${mux}`, addresses: [`${clientAddress(mux)}/32`] },
    },
    connections: [{ mux, remote, windowSize: WINDOW, prefixes: [] }],
  };
}

async function asked<T>(process: LabProcess): Promise<T> {
  const seen = process.lines.length;
  await process.tell("");
  return JSON.parse(await process.line(/^{/, 60, seen));
}

/** How often the kernel's TCP saw packets overtake each other. */
async function reorderings(host: LabHost): Promise<number> {
  const [names = "", values = ""] =
    (await host.exec("grep", "^TcpExt:", "/proc/net/netstat")).split("\n");
  const numbers = values.split(" ");
  return names.split(" ").reduce((sum, name, k) => {
    const counts = name === "TCPSACKReorder" || name === "TCPRenoReorder";
    return counts ? sum + Number(numbers[k]) : sum;
  }, 0);
}

labTest(
  "several connections through workers by flow keep the order of each flow, and nothing is refused by a small window",
  "flow",
  [],
  async (lab) => {
    const star = await Star.open(lab, { workers: 3 });
    assert.ok(!star.log.some((line) => line.includes("one worker")));
    for (const { received, late } of await star.exchange()) {
      assert.ok(received > CLIENTS.length * FLOWS * ROUNDS);
      assert.equal(late, 0);
    }
    for (const { bytes, intact } of await star.copy()) {
      assert.deepEqual({ bytes, intact }, { bytes: COPY_BYTES, intact: true });
    }
    for (const host of [lab.left, lab.right]) {
      assert.equal(await reorderings(host), 0);
    }
    for (const counts of await star.counts()) {
      const { replayed_total, wrong_tag_total, other_worker_total } = counts;
      const refused = { replayed_total, wrong_tag_total, other_worker_total };
      assert.deepEqual(Object.values(refused), [0, 0, 0]);
      assert.ok((counts.packets_in_total ?? 0) > 0);
    }
  },
);

labTest(
  "a device that is there with one queue is served by two workers, and the log says what helps",
  "queue",
  [],
  async (lab) => {
    const add = ["tuntap", "add", "mode", "tun", "name"];
    await lab.left.ip(...add, "hub");
    const star = await Star.open(lab, { workers: 3 });
    assert.ok(star.log.some((line) => /'hub' has one queue/.test(line)));
    for (const { received, late } of await star.exchange()) {
      assert.ok(received > 0);
      assert.equal(late, 0);
    }
  },
);
