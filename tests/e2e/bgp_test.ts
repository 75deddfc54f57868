import assert from "node:assert/strict";
import type { BgpLab } from "../../lab/bgp_lab.ts";
import { ANYCAST, ANYCAST6, HOME, SERVERS } from "../../lab/bgp_network.ts";
import { oursNative } from "../../lab/peers.ts";
import { bird, frr } from "../../lab/routing_programs.ts";
import { bgpTest } from "../../lab/test_case.ts";
import type { TwoWayFlow } from "../../lab/two_way_flow.ts";

/** Soon out of step when cut off, and soon back. */
const HASTY = ["--health-sync-age", "1", "--health-hold", "1"];

/** The exit status of `anytun health` for a member that is unfit. */
const UNFIT = 3;

/** Three members that announce themselves, and a client with traffic. */
class Members {
  readonly #lab: BgpLab;
  readonly #flow: TwoWayFlow;

  private constructor(lab: BgpLab, flow: TwoWayFlow) {
    this.#lab = lab;
    this.#flow = flow;
  }

  /**
   * @param chosen The members that the router chooses of all.
   * @param address Where the client knows them.
   */
  static async start(
    lab: BgpLab,
    chosen: readonly number[],
    address: string,
  ): Promise<Members> {
    await Promise.all(SERVERS.map((number) => lab.startMember(number)));
    await lab.network.choose(...chosen);
    await lab.startClient(oursNative, undefined, address);
    return new Members(lab, await lab.flow());
  }

  /** Takes what was lost so far as said. */
  async forget(): Promise<void> {
    await this.#flow.during(() => Promise.resolve());
  }

  /** Does what must not cost a single datagram, of either direction. */
  async without(what: string, happens: () => Promise<void>): Promise<void> {
    const { there, back } = await this.#flow.during(happens);
    assert.deepEqual([there.lost, back.lost], [0, 0], `lost: ${what}`);
  }

  async restart(number: number): Promise<void> {
    const { code } = await this.#lab.daemon(number).stop();
    assert.equal(code, 0, this.#lab.daemon(number).lastWords);
    await this.#lab.startMember(number);
    await this.#lab.daemon(number).line(/ is announced: fit$/);
  }
}

/** Asks a member, as administrators do. */
async function ask(
  lab: BgpLab,
  number: number,
  what: string,
  ...options: readonly string[]
): Promise<number> {
  return (await lab.ask(number, what, ...options)).code;
}

bgpTest(
  "members behind BIRD, reached by IPv6, are drained and restarted without a loss, and one that is killed or cut off from the others is replaced",
  "bird",
  [oursNative.missing()],
  { routing: bird, ipv6: true },
  async (lab) => {
    const members = await Members.start(lab, [1], ANYCAST6);
    await using copying = lab.copy();
    await members.without("drain", async () => {
      assert.equal(await ask(lab, 1, "health"), 0);
      assert.equal(await ask(lab, 1, "drain"), 0);
      assert.notEqual(await ask(lab, 1, "health"), 0);
      await lab.network.choose(2);
      assert.equal(await ask(lab, 1, "undrain"), 0);
      await lab.network.choose(1);
    });
    for (const number of SERVERS) {
      await members.without(
        `restart of member ${number}`,
        () => members.restart(number),
      );
    }
    await lab.network.choose(1);
    await lab.daemon(1).stop("SIGKILL");
    await lab.network.choose(2);
    await lab.client.ping(HOME);
    await lab.startMember(1, undefined, HASTY);
    await lab.network.choose(1);
    await members.forget();
    await members.without("nothing of the others", async () => {
      await lab.network.cutSync(1);
      await lab.network.choose(2);
      assert.equal(await ask(lab, 1, "health"), UNFIT);
      await lab.network.healSync(1);
      await lab.network.choose(1);
    });
    const { intact, bytes } = await copying.end();
    assert.ok(intact, `${bytes} bytes`);
  },
);

bgpTest(
  "of members behind FRR with equal cost, which announce IPv6 besides, one is restarted without a loss, and others that hang, are cut off or lose their cable are replaced",
  "frr",
  [oursNative.missing()],
  { routing: frr, ecmp: true, ipv6: true },
  async (lab) => {
    const members = await Members.start(lab, SERVERS, ANYCAST);
    await members.without("restart", () => members.restart(1));
    await lab.network.choose(...SERVERS);
    await lab.network.cut(1, "carrier");
    await lab.network.choose(2, 3);
    await lab.client.ping(HOME);
    await lab.network.heal(1, "carrier");
    await lab.network.choose(...SERVERS);
    Deno.kill(lab.daemon(2).pid, "SIGSTOP");
    await lab.network.choose(1, 3);
    await lab.client.ping(HOME);
    await lab.network.cut(3, "silent");
    await lab.network.choose(1);
    await lab.client.ping(HOME);
    Deno.kill(lab.daemon(2).pid, "SIGCONT");
    await lab.network.choose(1, 2);
    // The way to the second one is less specific.
    await lab.network.heal(3, "silent");
    await members.forget();
    await members.without("drain of all", async () => {
      const drain = (number: number) =>
        ask(lab, number, "drain", "--wait", "0");
      assert.deepEqual(await Promise.all(SERVERS.map(drain)), [0, 0, 0]);
      await lab.network.choose();
    });
  },
);
