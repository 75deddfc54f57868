/**
 * What fail-overs of servers behind BGP cost a client, of ours and of originals
 * beside a health script: `deno task bench:failover`, as root. In both
 * directions a datagram goes through the tunnel every 2 ms.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { BgpLab, INTERVAL_MS } from "../../lab/bgp_lab.ts";
import { HOME, SERVERS } from "../../lab/bgp_network.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { oursNative } from "../../lab/peers.ts";
import { bird, frr, type RoutingProgram } from "../../lab/routing_programs.ts";
import type { TwoWayFlow } from "../../lab/two_way_flow.ts";
import { readEnvironment } from "../tunnel/environment.ts";
import { back, type Case, CASES } from "./cases.ts";
import { type Fleet, FLEETS } from "./fleets.ts";
import {
  type Cell,
  type Cost,
  type FailoverReport,
  renderTables,
  type Titled,
} from "./report.ts";
import { delay } from "../../src/net/delay.ts";

const RESULTS = new URL("../results/", import.meta.url);

/** What is shorter is a way that comes and goes while routers settle. */
const LATE_MS = 9000;

interface Network extends Titled {
  readonly routing: RoutingProgram;
  readonly servers?: readonly RoutingProgram[];
  readonly ecmp: boolean;
}

const NETWORKS: readonly Network[] = [
  { id: "bird", title: "BIRD, one at a time", routing: bird, ecmp: false },
  { id: "bird-ecmp", title: "BIRD, equal cost", routing: bird, ecmp: true },
  { id: "frr", title: "FRR, equal cost", routing: frr, ecmp: true },
  {
    id: "frr-bird",
    title: "FRR, BIRD on servers, equal cost",
    routing: frr,
    servers: SERVERS.map(() => bird),
    ecmp: true,
  },
];

/** A fleet that carries, in a network. */
class Stage {
  readonly #lab: BgpLab;
  readonly #fleet: Fleet;
  readonly #flow: TwoWayFlow;

  private constructor(lab: BgpLab, fleet: Fleet, flow: TwoWayFlow) {
    this.#lab = lab;
    this.#fleet = fleet;
    this.#flow = flow;
  }

  static async set(lab: BgpLab, fleet: Fleet): Promise<Stage> {
    for (const number of SERVERS) {
      await fleet.prepare(lab, number);
      await fleet.start(lab, number);
    }
    for (const victim of SERVERS) await back({ lab, fleet, victim });
    await lab.startClient(oursNative, fleet.window);
    return new Stage(lab, fleet, await lab.flow());
  }

  async play(one: Case): Promise<{ cost: Cost; notes: readonly string[] }> {
    const chosen = await this.#lab.network.chosen();
    const victim = await this.#carrier();
    const scene = { lab: this.#lab, fleet: this.#fleet, victim };
    await one.prepare?.(scene);
    await this.#flow.during(() => Promise.resolve());
    let notes: readonly string[] = [];
    const { there, back } = await this.#flow.during(async () => {
      notes = await one.happens(scene);
    });
    const gap = Math.max(there.gap, back.gap);
    const cost = { there: there.lost, back: back.lost, gap };
    await one.repair(scene);
    // Routers that were apart take longer to meet than a daemon to start.
    await this.#settle(chosen);
    await this.#lab.client.ping(HOME);
    await this.#flow.during(() => Promise.resolve());
    return { cost: { ...cost, isOver: gap < LATE_MS }, notes };
  }

  async #settle(chosen: readonly number[]): Promise<void> {
    await this.#lab.network.choose(...chosen);
    await delay(500);
  }

  /** The server that has what the client sends. */
  async #carrier(): Promise<number> {
    const counts = () => Promise.all(SERVERS.map((k) => this.#lab.carried(k)));
    const before = await counts();
    await delay(300);
    const after = await counts();
    const packets = after.map((count, k) => count - (before[k] ?? 0));
    return 1 + packets.indexOf(Math.max(...packets));
  }
}

async function measure(
  network: Network,
  fleet: Fleet,
  cases: readonly Case[],
  rounds: number,
): Promise<Cell[]> {
  const tag = `fo-${network.id.replace("-", "")}-${Deno.pid}`;
  await using lab = await BgpLab.open(tag, network);
  const stage = await Stage.set(lab, fleet);
  const cells: Cell[] = [];
  for (const one of cases) {
    const costs: Cost[] = [];
    let notes: readonly string[] = [];
    for (let round = 0; round < (one.rounds ?? rounds); round++) {
      const seen = await stage.play(one);
      costs.push(seen.cost);
      notes = seen.notes;
      const text = JSON.stringify([seen.cost, ...notes]);
      print(`${network.title}: ${fleet.id}: ${one.title}: ${text}`);
    }
    const place = { network: network.id, name: one.id, fleet: fleet.id };
    cells.push({ ...place, costs, notes });
  }
  return cells;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string", default: "1" },
      network: { type: "string", multiple: true },
      case: { type: "string", multiple: true },
      fleet: { type: "string", multiple: true },
    },
  });
  const isWanted = (wanted: readonly string[] | undefined, id: string) =>
    wanted?.includes(id) ?? true;
  const networks = NETWORKS.filter(({ id, routing, servers = [] }) =>
    isWanted(values.network, id) &&
    [routing, ...servers].every((one) => isHere(id, one.missing()))
  );
  const fleets = FLEETS.filter(({ id, program }) =>
    isWanted(values.fleet, id) && isHere(id, program.missing())
  );
  const cases = CASES.filter(({ id }) => isWanted(values.case, id));
  const environment = await readEnvironment();
  const cells: Cell[] = [];
  for (const network of networks) {
    for (const fleet of fleets) {
      const rounds = Number(values.rounds);
      cells.push(...await measure(network, fleet, cases, rounds));
    }
  }
  const report: FailoverReport = {
    ...{ environment, interval: INTERVAL_MS, cells },
    networks: networks.map(({ id, title }) => ({ id, title })),
    cases: cases.map(({ id, title }) => ({ id, title })),
    fleets: fleets.map(({ id }) => id),
  };
  print(`\n${renderTables(report)}`);
  const isPart = values.network ?? values.case ?? values.fleet;
  await save(report, isPart === undefined ? "failover" : "failover-partial");
  return 0;
}

function isHere(id: string, missing: string | null): boolean {
  if (missing !== null) print(`left out: ${id}: ${missing}`);
  return missing === null;
}

async function save(report: FailoverReport, stem: string): Promise<void> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const path = new URL(`${stem}.json`, RESULTS);
  await Deno.writeTextFile(path, JSON.stringify(report, null, 1) + "\n");
  print(`written: bench/results/${stem}.json`);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const reason = whyNoLab() ?? missingCommand("iperf3") ?? oursNative.missing();
  if (reason !== null) {
    print(`Cannot measure: ${reason}`);
    Deno.exit(1);
  }
  Deno.exit(await main());
}
