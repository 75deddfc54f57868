import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import {
  ANNOUNCING,
  BgpLab,
  CLIENT,
  CLIENT_OPTIONS,
  HOME,
} from "../../lab/bgp_lab.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { EndlessCopy, serve } from "../../lab/measure.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { anytun, oursNative, type PeerProgram } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { bird } from "../../lab/routing_programs.ts";
import { outputOf } from "../../lab/tools.ts";
import { TwoWayFlow } from "../../lab/two_way_flow.ts";

const CONTROL = "127.0.0.1:2324";
const SERVERS = [1, 2, 3];

/** From one datagram to the next, in ms. */
const INTERVAL_MS = 2;

/** Bytes per second: a copy that fills the uplink is a loss for others. */
const COPY_PACE = 500_000;

/** For what is on its way when the network has moved on. */
const REST_MS = 500;

const missing = [
  whyNoLab(),
  missingCommand("ping"),
  missingCommand("sysctl"),
  missingCommand("anytun-controld"),
  bird.missing(),
  anytun.missing(),
  oursNative.missing(),
].find((why) => why !== null);

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
    await lab.prepare(number);
    const { host, options } = this.#controlOf(number);
    this.#control.set(number, host.spawn("anytun-controld", ...options));
    await this.#startMember(number, anytun, ["-s", String(number)]);
    await lab.announce(number);
  }

  /**
   * As docs/anycast.md says: the network is told first, and the new member has
   * sender ids of its own, since clients with a window remember how far the one
   * before has counted.
   */
  async replaceMember(number: number): Promise<void> {
    const lab = this.#lab;
    const others = SERVERS.filter((k) => k !== number);
    await lab.withdraw(number);
    await lab.choose(...others);
    await delay(REST_MS);
    await lab.daemon(number).stop();
    const ids = `${number * 256}-${number * 256 + 255}`;
    await this.#startMember(number, oursNative, ["-s", ids, ...ANNOUNCING]);
    await lab.choose(...SERVERS);
  }

  async replaceControl(number: number): Promise<void> {
    const member = this.#lab.daemon(number);
    const seen = member.lines.length;
    await this.#control.get(number)?.stop();
    const { host, options } = this.#controlOf(number);
    const control = startDaemon(host, ["controld", ...options]);
    await control.line(/sync server listening/);
    await member.line(/sync: connected to 127\.0\.0\.1/, undefined, seen);
  }

  #controlOf(number: number) {
    const host = this.#lab.server(number);
    const places = ["-f", this.#clients, "-X", CONTROL];
    return { host, options: ["-D", "-L", "stdout:4", ...places] };
  }

  async #startMember(
    number: number,
    program: PeerProgram,
    options: readonly string[],
  ): Promise<void> {
    const fromControl = ["-X", CONTROL];
    const member = await this.#lab.startServer(
      number,
      program,
      options,
      fromControl,
    );
    await member.line(/sync: connected to 127\.0\.0\.1/);
  }
}

Deno.test({
  name: "three originals and their control daemons are replaced one after " +
    "the other, and their client loses nothing" +
    (missing === undefined ? "" : ` (skipped: ${missing})`),
  ignore: missing !== undefined,
  async fn() {
    using folder = new TestFolder();
    const clients = folder.file("clients");
    Deno.writeTextFileSync(clients, await outputOf("config", CLIENT_OPTIONS));
    await using lab = await BgpLab.open(`up-${Deno.pid}`, {
      routing: bird,
      ecmp: true,
    });
    const upgrade = new Upgrade(lab, clients);
    await Promise.all(SERVERS.map((number) => upgrade.startOriginal(number)));
    await lab.choose(...SERVERS);
    await lab.startClient(anytun);
    await lab.client.ping(HOME);
    await serve(lab.home);
    const flow = await TwoWayFlow.start(
      { host: lab.client, address: CLIENT },
      { host: lab.home, address: HOME },
      INTERVAL_MS,
    );
    await using copying = EndlessCopy.start(lab.client, HOME, COPY_PACE);
    const losses: Record<string, readonly number[]> = {};
    const step = async (what: string, happens: () => Promise<unknown>) => {
      const { there, back } = await flow.during(happens);
      losses[what] = [there.lost, back.lost];
    };
    for (const number of SERVERS) {
      const replace = () => upgrade.replaceMember(number);
      await step(`member ${number}`, replace);
    }
    await step(
      "control daemons",
      () => Promise.all(SERVERS.map((k) => upgrade.replaceControl(k))),
    );
    const { intact, bytes } = await copying.end();
    assert.ok(intact, `${bytes} bytes`);
    assert.deepEqual(losses, {
      "member 1": [0, 0],
      "member 2": [0, 0],
      "member 3": [0, 0],
      "control daemons": [0, 0],
    });
  },
});
