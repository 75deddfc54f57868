import assert from "node:assert/strict";
import { type BgpLab, CLIENT_OPTIONS } from "../../lab/bgp_lab.ts";
import { serverAddress, SERVERS } from "../../lab/bgp_network.ts";
import {
  type CertificateName,
  tlsOptions,
  whyNoTls,
} from "../../lab/certificates.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { missingCommand } from "../../lab/missing.ts";
import { anytun, oursNative } from "../../lab/peers.ts";
import { bird } from "../../lab/routing_programs.ts";
import { StepLosses } from "../../lab/step_losses.ts";
import { bgpTest } from "../../lab/test_case.ts";
import { outputOf } from "../../lab/tools.ts";
import { until } from "../../lab/until.ts";

/** The network that clients have addresses of. */
const INSIDE = "10.99.0.0/24";

/** A test does not wait for who may still come, or may still be at fault. */
const SOON = "health-sync-age: 2\nhealth-rise: 1\n";

const CERTIFICATES: Readonly<Record<number, CertificateName>> = {
  ...{ 1: "alice", 2: "bob", 3: "alice" },
};

/** Members that meet in clear text, of which each has a config file. */
class Cluster {
  readonly #lab: BgpLab;
  readonly #folder: TestFolder;

  constructor(lab: BgpLab, folder: TestFolder) {
    this.#lab = lab;
    this.#folder = folder;
  }

  /** The control daemon of a server, which speaks to nobody else. */
  async startControl(number: number, clients: string): Promise<void> {
    const options = ["-f", clients, "-X", this.#control(number)];
    const control = startDaemon(
      this.#lab.network.server(number),
      ["controld", "-D", "-L", "stdout:4", ...options],
    );
    await control.line(/sync server listening/);
  }

  async start(number: number, lines = ""): Promise<void> {
    this.#write(number, lines);
    const config = ["--config", this.#file(number)];
    await this.#lab.startMember(number, config);
  }

  async reload(number: number, lines: string): Promise<void> {
    const daemon = this.#lab.daemon(number);
    const seen = daemon.lines.length;
    this.#write(number, lines);
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/options that have changed: /, undefined, seen);
  }

  /** It draws traffic away from itself first. */
  async stop(number: number): Promise<void> {
    await this.#lab.daemon(number).stop();
  }

  async certify(number: number): Promise<void> {
    const options = tlsOptions(CERTIFICATES[number] ?? "alice", "ca");
    const lines = options.map((text) =>
      text.startsWith("--") ? `${text.slice(2)}: ` : `${text}\n`
    );
    await this.start(number, lines.join(""));
    const daemon = this.#lab.daemon(number);
    await daemon.line(/sync server listening on .* with TLS/);
  }

  /** A member of those with certificates has the client, and this one knows. */
  async untilKnown(number: number): Promise<void> {
    await until(`server ${number} knows the client`, 30, async () => {
      const { text } = await this.#lab.ask(number, "status", "--cluster");
      return /^5 +203\.0\.113\.9:4444 +(this daemon|192)/m.test(text);
    });
  }

  #write(number: number, lines: string): void {
    const path = this.#file(number);
    const text = `${SOON}control-host: ${this.#control(number)}\n${lines}`;
    Deno.writeTextFileSync(path, text, { mode: 0o600 });
  }

  #file(number: number): string {
    return this.#folder.file(`server${number}.yaml`);
  }

  #control(number: number): string {
    return `unix:${this.#folder.file(`control${number}.sock`)}`;
  }
}

bgpTest(
  "members in clear text are given certificates while one of them goes on, and their client loses nothing",
  "tls",
  [
    whyNoTls,
    missingCommand("anytun-config"),
    anytun.missing(),
    oursNative.missing(),
  ],
  { routing: bird, ecmp: true },
  async (lab) => {
    using folder = new TestFolder();
    const clients = folder.file("clients");
    Deno.writeTextFileSync(clients, await outputOf("config", CLIENT_OPTIONS));
    const cluster = new Cluster(lab, folder);
    const [last = 1, ...others] = SERVERS;
    const { network } = lab;
    const byLast = [INSIDE, "via", serverAddress(last)];
    await Promise.all(SERVERS.map(async (number) => {
      await cluster.startControl(number, clients);
      await cluster.start(number);
    }));
    await network.choose(...SERVERS);
    await lab.startClient(anytun);
    const losses = new StepLosses(await lab.flow());
    await using copying = lab.copy();
    await losses.during("one has all", async () => {
      await cluster.reload(last, "health-sync-links: 0\n");
      await Promise.all(others.map((number) => cluster.stop(number)));
      await network.choose(last);
    });
    await losses.during("answers go by that one", async () => {
      await network.router.ip("route", "add", ...byLast);
    });
    await losses.during("the others have certificates", async () => {
      await Promise.all(others.map((number) => cluster.certify(number)));
      await network.choose(...SERVERS);
    });
    await losses.during("the others hear the client", async () => {
      await lab.ask(last, "drain", "--wait", "0");
      await network.choose(...others);
      await Promise.all(others.map((number) => cluster.untilKnown(number)));
    });
    await losses.during("answers go by them", async () => {
      await network.router.ip("route", "del", ...byLast);
      await lab.untilIdle(last);
    });
    await losses.during("the last one has a certificate", async () => {
      await cluster.stop(last);
      await cluster.certify(last);
      await network.choose(...SERVERS);
      await cluster.untilKnown(last);
    });
    const { intact, bytes } = await copying.end();
    assert.ok(intact, `${bytes} bytes`);
    assert.deepEqual(losses.byStep, {
      "one has all": [0, 0],
      "answers go by that one": [0, 0],
      "the others have certificates": [0, 0],
      "the others hear the client": [0, 0],
      "answers go by them": [0, 0],
      "the last one has a certificate": [0, 0],
    });
  },
);
