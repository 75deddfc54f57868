import { strict as assert } from "node:assert";
import { TestFolder } from "../../lab/daemons.ts";
import { whyNoEtcd } from "../../lab/etcd.ts";
import { FleetLab, MEMBER } from "../../lab/fleet_lab.ts";
import type { Lab } from "../../lab/lab.ts";
import { lostPings } from "../../lab/lost_pings.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";

const CLIENT = "10.99.0.5";

/** How often a machine may be too slow for what is to be seen. */
const TRIES = 5;

/** A client whose keys are files, on the right. */
class Client {
  readonly #lab: Lab;
  readonly #folder: TestFolder;

  constructor(lab: Lab, folder: TestFolder) {
    this.#lab = lab;
    this.#folder = folder;
  }

  start(): Promise<LabProcess> {
    const { left, right } = this.#lab;
    return oursNative.start(right, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT}/24`],
      port: 4444,
      remote: { host: left.ipv4, port: 4444 },
      options: [...this.keys("own"), "-m", "1", "-w", "1024"],
    });
  }

  /** The options that name a key and a salt. */
  keys(name: string): readonly string[] {
    return [
      ...["--key-file", this.#folder.file(`${name}.key`)],
      ...["--salt-file", this.#folder.file(`${name}.salt`)],
    ];
  }

  /** Makes a key and a salt, and returns the options that name them. */
  async newKeys(name: string): Promise<readonly string[]> {
    const options = this.keys(name);
    await this.#lab.left.run([...fromSource.command, "genkey", ...options]);
    return options;
  }

  /** Has the own files say what others say. */
  take(name: string): void {
    for (const kind of ["key", "salt"]) {
      const from = this.#folder.file(`${name}.${kind}`);
      Deno.copyFileSync(from, this.#folder.file(`own.${kind}`));
    }
  }
}

labTest(
  "a client gets other keys without a lost packet, its own side first, and is removed",
  "fr0",
  [oursNative.missing(), whyNoEtcd()],
  async (lab) => {
    using folder = new TestFolder();
    const fleet = new FleetLab(lab.left, folder);
    const client = new Client(lab, folder);
    await using _store = await fleet.startStore();
    const own = await client.newKeys("own");
    await fleet.do("add", "branch", "-R", `${CLIENT}/32`, ...own);
    const controld = fleet.startControld("--state-dir", "none");
    await controld.line(/serving \d+ clients of/);
    const server = await fleet.startMember();
    const daemon = await client.start();
    await lab.right.ping(MEMBER);

    // Twelve seconds are for the other side: a machine that takes longer to
    // start a program shows nothing.
    let inTime = false;
    for (let k = 0; k < TRIES && !inTime; k++) {
      const next = await client.newKeys(`next${k}`);
      const seen = daemon.lines.length;
      const lost = await lostPings(lab.right, MEMBER, async () => {
        client.take(`next${k}`);
        Deno.kill(daemon.pid, "SIGHUP");
        await daemon.line(/has new keys: they open from now on/, 30, seen);
        await fleet.do("rotate", "branch", ...next);
        const line = await daemon.line(/seals with its new keys: /, 30, seen);
        inTime = line.endsWith("the peer uses them");
      });
      if (inTime) assert.deepEqual(lost, []);
    }
    assert.ok(inTime, "the peer uses them");

    await fleet.do("remove", "branch");
    await server.line(/sync: connection 1 was removed/);
    const pings = ["ping", "-c", "20", "-i", "0.01", "-w", "2", MEMBER];
    const { stdout } = await lab.right.outcome(pings);
    assert.match(
      stdout,
      / 0 received/,
      "nothing is taken from who was removed",
    );
  },
);
