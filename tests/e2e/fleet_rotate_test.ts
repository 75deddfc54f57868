import { strict as assert } from "node:assert";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { LabEtcd, whyNoEtcd } from "../../lab/etcd.ts";
import type { Lab } from "../../lab/lab.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";

const ENGINE_PORT = 2379;
const SOURCE = ["--source", `http://127.0.0.1:${ENGINE_PORT}/fleet`];
const SERVER = "10.99.0.1";
const CLIENT = "10.99.0.5";
const CONTROL = "127.0.0.1:2323";

/** The engine, a control daemon and a server on the left, a client right. */
class Fleet {
  readonly #lab: Lab;
  readonly #folder: TestFolder;

  constructor(lab: Lab, folder: TestFolder) {
    this.#lab = lab;
    this.#folder = folder;
  }

  do(...words: readonly string[]): Promise<string> {
    const { left } = this.#lab;
    return left.run([...fromSource.command, "fleet", ...words, ...SOURCE]);
  }

  async startServer(): Promise<LabProcess> {
    const { left } = this.#lab;
    const controld = startDaemon(left, [
      ...["controld", "-D", "-L", "stdout:3", "-X", CONTROL, ...SOURCE],
      ...["--state-dir", "none"],
    ]);
    await controld.line(/serving \d+ clients of/);
    const server = await oursNative.start(left, {
      role: "left",
      type: "tun",
      addresses: [`${SERVER}/24`],
      port: 4444,
      options: ["-X", CONTROL],
    });
    await server.line(/sync: connected to/, 20);
    return server;
  }

  startClient(options: readonly string[]): Promise<LabProcess> {
    const { left, right } = this.#lab;
    return oursNative.start(right, {
      role: "right",
      type: "tun",
      addresses: [`${CLIENT}/24`],
      port: 4444,
      remote: { host: left.ipv4, port: 4444 },
      options: [...options, "-m", "1", "-w", "1024"],
    });
  }

  /** Makes a key and a salt, and returns the options that name them. */
  async newKeys(name: string): Promise<readonly string[]> {
    const options = [
      ...["--key-file", this.#folder.file(`${name}.key`)],
      ...["--salt-file", this.#folder.file(`${name}.salt`)],
    ];
    await this.#lab.left.run([...fromSource.command, "genkey", ...options]);
    return options;
  }

  /**
   * Pings through the tunnel until the work is done.
   * @returns Numbers that had no answer, though later ones had
   */
  async lostDuring(work: () => Promise<void>): Promise<readonly number[]> {
    const { right } = this.#lab;
    const pings = right.spawn("ping", "-i", "0.005", SERVER);
    await work();
    const { length } = pings.lines;
    await pings.line(/icmp_seq=/, 20, length);
    await pings.stop("SIGINT");
    const heard = new Set(
      pings.lines.flatMap((line) => /icmp_seq=(\d+)/.exec(line)?.[1] ?? [])
        .map(Number),
    );
    // The last one may be on its way still.
    return Array.from({ length: Math.max(...heard) }, (_, k) => k + 1)
      .filter((number) => !heard.has(number));
  }
}

labTest(
  "a client gets other keys without a lost packet, its own side first, and is removed",
  "fr0",
  [oursNative.missing(), whyNoEtcd()],
  async (lab) => {
    using folder = new TestFolder();
    const fleet = new Fleet(lab, folder);
    await LabEtcd.start({
      data: folder.file("etcd"),
      host: lab.left,
      port: ENGINE_PORT,
    });
    const own = await fleet.newKeys("own");
    await fleet.do("add", "branch", "-R", `${CLIENT}/32`, ...own);
    const server = await fleet.startServer();
    const client = await fleet.startClient(own);
    await lab.right.ping(SERVER);

    const next = await fleet.newKeys("next");
    const lost = await fleet.lostDuring(async () => {
      for (const kind of ["key", "salt"]) {
        Deno.copyFileSync(
          folder.file(`next.${kind}`),
          folder.file(`own.${kind}`),
        );
      }
      Deno.kill(client.pid, "SIGHUP");
      await client.line(/has new keys: they open from now on/);
      await fleet.do("rotate", "branch", ...next);
      await client.line(/seals with its new keys: the peer uses them/, 20);
    });
    assert.deepEqual(lost, []);

    await fleet.do("remove", "branch");
    await server.line(/sync: connection 1 was removed/);
    const pings = ["ping", "-c", "20", "-i", "0.01", "-w", "2", SERVER];
    const { stdout } = await lab.right.outcome(pings);
    assert.match(
      stdout,
      / 0 received/,
      "nothing is taken from who was removed",
    );
  },
);
