import assert from "node:assert/strict";
import { ClusterFlow } from "../../lab/cluster_flow.ts";
import { ANYCAST, type ClusterLab, MUX } from "../../lab/cluster_lab.ts";
import { TestFolder } from "../../lab/daemons.ts";
import { missingCommand } from "../../lab/missing.ts";
import {
  anytun,
  oursFromSource,
  oursNative,
  type PeerProgram,
} from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { clusterTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import type { Report } from "../../src/status/report.ts";
import type { MembersReport } from "../../src/status/members_report.ts";

/** Datagrams of one recording. */
const RECORDED = 20;

/** Both planes, and one that is told of no floors. */
const PROGRAMS = [oursNative, oursFromSource, anytun] as const;
const ORIGINAL = 3;

/** The cluster, and how its members of ours can be asked. */
class Floors {
  readonly lab: ClusterLab;
  readonly #folder: TestFolder;

  constructor(lab: ClusterLab, folder: TestFolder) {
    this.lab = lab;
    this.#folder = folder;
  }

  async start(number: number, program: PeerProgram): Promise<void> {
    const own = program === anytun ? [] : [
      ...["--status-socket", this.#socket(number), "--state-dir", "none"],
    ];
    const options = ["-w", "1024", ...own];
    const server = await this.lab.startServer(number, program, options);
    await server.line(/sync: connected to/, 30);
  }

  readonly counters = async (
    number: number,
  ): Promise<Record<string, number>> => {
    const report: Report = JSON.parse(await this.status(number, "--json"));
    return report.connections.find(({ mux }) => mux === MUX)?.counters ?? {};
  };

  async members(number: number): Promise<MembersReport> {
    return JSON.parse(await this.status(number, "--cluster", "--json"));
  }

  async status(number: number, ...options: string[]): Promise<string> {
    const args = ["status", this.#socket(number), ...options];
    const argv = [...fromSource.command, ...args];
    return await this.lab.server(number).run(argv);
  }

  #socket(number: number): string {
    return this.#folder.file(`${number}.sock`);
  }
}

/** Has a script send datagrams to whichever server the route leads to. */
async function send(script: LabProcess, what: string): Promise<void> {
  const seen = script.lines.length;
  await script.tell(what);
  await script.line(/^sent$/, undefined, seen);
}

/** How many of a recording a server has taken, and how many for replays. */
async function replay(
  floors: Floors,
  script: LabProcess,
  number: number,
  what: string,
): Promise<{ taken: number; replayed: number }> {
  const sums = async () => {
    const { packets_in_total, replayed_total } = await floors.counters(number);
    return [packets_in_total ?? 0, replayed_total ?? 0] as const;
  };
  const [taken, replayed] = await sums();
  await floors.lab.askThrough(number);
  await send(script, what);
  let now = await sums();
  await until("all of them are counted", 30, async () => {
    now = await sums();
    return now[0] + now[1] - taken - replayed === RECORDED;
  });
  return { taken: now[0] - taken, replayed: now[1] - replayed };
}

/** Alternates between the first two servers, datagram by datagram. */
async function spread({ router }: ClusterLab): Promise<void> {
  for (const k of [1, 2]) {
    await router.ip("rule", "add", "fwmark", `${k}`, "table", `10${k}`);
    const via = ["via", `198.18.${k}.2`];
    await router.ip("route", "add", ANYCAST, ...via, "table", `10${k}`);
  }
  const rule = `table ip at { chain alternate {
    type filter hook prerouting priority mangle;
    ip daddr ${ANYCAST} udp dport 4444 meta mark set numgen inc mod 2 offset 1
  }
  }`;
  await router.run(["nft", "-f", "-"], { input: rule });
}

/** What became of a client's datagrams, and which part each server took. */
async function byTurns(floors: Floors, flow: ClusterFlow) {
  const counts = async () => await Promise.all([1, 2].map(floors.counters));
  const before = await counts();
  const { lost } = await flow.during(
    () => new Promise((resolve) => setTimeout(resolve, 3500)),
  );
  const after = await counts();
  const more = (name: string) =>
    after.map((counters, k) =>
      (counters[name] ?? 0) - (before[k]?.[name] ?? 0)
    );
  const replayed = more("replayed_total").reduce((sum, n) => sum + n, 0);
  const taken = more("packets_in_total");
  const all = taken.reduce((sum, count) => sum + count, 0);
  return { lost, replayed, shares: taken.map((count) => count / all) };
}

clusterTest(
  "what one member took is a replay at another two seconds later and after a restart, a client whose datagrams go to both by turns loses none, and each member tells who serves whom",
  "cf",
  [missingCommand("nft"), ...PROGRAMS.map((program) => program.missing())],
  async (lab) => {
    using folder = new TestFolder();
    const floors = new Floors(lab, folder);
    await Promise.all(
      PROGRAMS.map((program, k) => floors.start(k + 1, program)),
    );
    await lab.moveTo(1);
    const args = ["cluster", String(MUX), ANYCAST, "4444"];
    const script = lab.client.script("recordings.ts", ...args);
    await script.line(/^ready$/);

    for (const [from, to] of [[1, 2], [2, 1]] as const) {
      await until(`what ${from} took is a replay at ${to}`, 60, async () => {
        const first = await replay(floors, script, from, `new ${RECORDED}`);
        assert.equal(first.taken, RECORDED, "it is new");
        await new Promise((resolve) => setTimeout(resolve, 2500));
        const { taken, replayed } = await replay(floors, script, to, "again");
        return taken === 0 && replayed === RECORDED;
      });
    }

    // A member that has forgotten everything is told by the others.
    await lab.killServer(2);
    await floors.start(2, PROGRAMS[1]);
    await until("1 has told 2", 30, async () => {
      const { members } = await floors.members(2);
      return members.some((member) => member.floors > 0);
    });
    assert.deepEqual(
      await replay(floors, script, 2, "again"),
      { taken: 0, replayed: RECORDED },
    );

    // An original hears of no floors: so it was at all members.
    const before = await lab.carried(ORIGINAL);
    await lab.askThrough(ORIGINAL);
    await send(script, "again");
    await until(
      "the original takes all of them once more",
      30,
      async () => await lab.carried(ORIGINAL) - before === RECORDED,
    );
    await script.stop();

    await lab.moveTo(1);
    await lab.startClient(oursNative);
    const flow = await ClusterFlow.start(lab, 5);
    await spread(lab);
    // A machine that stood still for a second has overtaken what was under way.
    await until("none of them is lost", 60, async () => {
      const { lost, replayed, shares } = await byTurns(floors, flow);
      for (const share of shares) assert.ok(share > 0.25, `${shares}`);
      return lost === 0 && replayed === 0;
    });

    let known = await floors.members(1);
    await until("all know of all", 30, async () => {
      known = await floors.members(1);
      const { clients, members } = known;
      return clients.some(({ mux }) => mux === MUX) &&
        members.every(({ kind }) => kind !== "unknown" && kind !== "silent");
    });
    const { clients, members } = known;
    assert.deepEqual(
      members.map(({ address, kind }) => `${address} ${kind}`),
      ["null self", "10.77.0.2:2323 member", "10.77.0.3:2323 original"],
    );
    assert.deepEqual(clients.map(({ mux }) => mux), [MUX]);
    const text = await floors.status(1, "--cluster");
    assert.match(text, /^10\.77\.0\.3:2323 +- +original, says nothing/m);
    assert.match(text, new RegExp(`^${MUX} +\\S+:4444 `, "m"));
  },
);
