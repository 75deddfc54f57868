import assert from "node:assert/strict";
import { type BgpLab, CLIENT_OPTIONS } from "../../lab/bgp_lab.ts";
import { SERVERS } from "../../lab/bgp_network.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { missingCommand } from "../../lab/missing.ts";
import { anytun, oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { bird } from "../../lab/routing_programs.ts";
import { StepLosses } from "../../lab/step_losses.ts";
import { bgpTest } from "../../lab/test_case.ts";
import { outputOf } from "../../lab/tools.ts";

const CONTROL = "127.0.0.1:2324";

/** How members know their client. */
const FROM_CONTROL = ["-X", CONTROL];

/** A cluster whose members and control daemons are replaced one by one. */
class Upgrade {
  readonly #lab: BgpLab;
  readonly #clients: string;
  readonly #control = new Map<number, LabProcess>();

  constructor(lab: BgpLab, clients: string) {
    this.#lab = lab;
    this.#clients = clients;
  }

  async startOriginal(number: number): Promise<void> {
    const lab = this.#lab;
    await lab.network.prepare(number);
    const { host, options } = this.#controlOf(number);
    this.#control.set(number, host.spawn("anytun-controld", ...options));
    await followsControl(
      await lab.startServer(number, anytun, undefined, FROM_CONTROL),
    );
    await lab.network.announce(number);
  }

  /**
   * As docs/anycast.md says: the network is told first, and the new member has
   * sender ids of its own, since clients with a window remember how far the one
   * before has counted.
   */
  async replaceMember(number: number): Promise<void> {
    const lab = this.#lab;
    const others = SERVERS.filter((k) => k !== number);
    await lab.network.withdraw(number);
    await lab.network.choose(...others);
    await lab.untilIdle(number);
    await lab.daemon(number).stop();
    await followsControl(await lab.startMember(number, FROM_CONTROL));
    await lab.network.choose(...SERVERS);
  }

  async replaceControl(number: number): Promise<void> {
    const member = this.#lab.daemon(number);
    const seen = member.lines.length;
    await this.#control.get(number)?.stop();
    const { host, options } = this.#controlOf(number);
    const control = startDaemon(host, ["controld", ...options]);
    await control.line(/sync server listening/);
    await followsControl(member, seen);
  }

  #controlOf(number: number) {
    const host = this.#lab.network.server(number);
    const places = ["-f", this.#clients, "-X", CONTROL];
    return { host, options: ["-D", "-L", "stdout:4", ...places] };
  }
}

/** Waits for what a member says behind so many lines. */
async function followsControl(member: LabProcess, seen = 0): Promise<void> {
  await member.line(/sync: connected to 127\.0\.0\.1/, undefined, seen);
}

bgpTest(
  "three originals and their control daemons are replaced one after the other, and their client loses nothing",
  "up",
  [missingCommand("anytun-controld"), anytun.missing(), oursNative.missing()],
  { routing: bird, ecmp: true },
  async (lab) => {
    using folder = new TestFolder();
    const clients = folder.file("clients");
    Deno.writeTextFileSync(clients, await outputOf("config", CLIENT_OPTIONS));
    const upgrade = new Upgrade(lab, clients);
    await Promise.all(SERVERS.map((number) => upgrade.startOriginal(number)));
    await lab.network.choose(...SERVERS);
    await lab.startClient(anytun);
    const losses = new StepLosses(await lab.flow());
    await using copying = lab.copy();
    for (const number of SERVERS) {
      const replace = () => upgrade.replaceMember(number);
      await losses.during(`member ${number}`, replace);
    }
    await losses.during(
      "control daemons",
      () => Promise.all(SERVERS.map((k) => upgrade.replaceControl(k))),
    );
    const { intact, bytes } = await copying.end();
    assert.ok(intact, `${bytes} bytes`);
    assert.deepEqual(losses.byStep, {
      "member 1": [0, 0],
      "member 2": [0, 0],
      "member 3": [0, 0],
      "control daemons": [0, 0],
    });
  },
);
