import { startDaemon, type TestFolder } from "./daemons.ts";
import { LabEtcd } from "./etcd.ts";
import type { LabHost } from "./host.ts";
import { oursNative } from "./peers.ts";
import { type LabProcess, run } from "./process.ts";
import { fromSource } from "./programs.ts";

const STORE_PORT = 2379;
const PEER_PORT = 2380;
const SOURCE = ["--source", `http://127.0.0.1:${STORE_PORT}/fleet`];

/** Where the control daemon tells members of clients. */
export const CONTROL = "127.0.0.1:2323";

/** The member's address in the tunnel. */
export const MEMBER = "10.99.0.1";

/** A store, a control daemon and a member of a fleet, all on one host. */
export class FleetLab {
  readonly #host: LabHost;
  readonly #folder: TestFolder;

  constructor(host: LabHost, folder: TestFolder) {
    this.#host = host;
    this.#folder = folder;
  }

  /** With what it had before, if it has run before. */
  startStore(): Promise<LabEtcd> {
    const data = this.#folder.file("etcd");
    const ports = { port: STORE_PORT, peerPort: PEER_PORT };
    return LabEtcd.start({ data, host: this.#host, ...ports });
  }

  /** Has it what it had at a snapshot, by the same name, in place of its own. */
  async restoreStore(snapshot: string): Promise<void> {
    const data = this.#folder.file("etcd");
    Deno.removeSync(data, { recursive: true });
    const url = `http://127.0.0.1:${PEER_PORT}`;
    await run([
      ...["env", "ETCDCTL_API=3", "etcdctl", "snapshot", "restore", snapshot],
      ...["--name", "lab", "--initial-cluster", `lab=${url}`],
      ...["--initial-advertise-peer-urls", url, "--data-dir", data],
    ]);
  }

  startControld(...options: readonly string[]): LabProcess {
    return startDaemon(this.#host, [
      ...["controld", "-D", "-L", "stdout:3", "-X", CONTROL],
      ...[...SOURCE, ...options],
    ]);
  }

  /** Starts a member, and waits until it follows the control daemon. */
  async startMember(...options: readonly string[]): Promise<LabProcess> {
    const member = await oursNative.start(this.#host, {
      role: "left",
      type: "tun",
      addresses: [`${MEMBER}/24`],
      port: 4444,
      options: ["-X", CONTROL, ...options],
    });
    await member.line(/sync: connected to/, 20);
    return member;
  }

  /** Runs `anytun fleet`, which must succeed, and returns what it prints. */
  do(...words: readonly string[]): Promise<string> {
    return this.#host.run([
      ...fromSource.command,
      "fleet",
      ...words,
      ...SOURCE,
    ]);
  }
}
