import { strict as assert } from "node:assert";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { LabEtcd, whyNoEtcd } from "../../lab/etcd.ts";
import type { LabHost } from "../../lab/host.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const ENGINE_PORT = 2379;
const CONTROL = "127.0.0.1:2323";
const MEMBER = "127.0.0.1:3333";
const SALT = "000102030405060708090a0b0c0d";

function clientText(mux: number, key: string): string {
  const route = `route 10.${mux}.0.0/16`;
  return `mux ${mux}\n${route}\nkey ${key.repeat(16)}\nsalt ${SALT}`;
}

/** An engine, a control daemon and a member on one host. */
class Fleet {
  constructor(readonly host: LabHost, readonly folder: TestFolder) {}

  engine(): Promise<LabEtcd> {
    const { host } = this;
    const data = this.folder.file("etcd");
    return LabEtcd.start({ data, host, port: ENGINE_PORT });
  }

  controld(): LabProcess {
    return startDaemon(this.host, [
      ...["controld", "-D", "-L", "stdout:3", "-X", CONTROL, "-u", "nobody"],
      ...["--source", `http://127.0.0.1:${ENGINE_PORT}/fleet`],
      ...["--state-dir", this.folder.file("state")],
    ]);
  }

  member(): Promise<LabProcess> {
    return oursNative.start(this.host, {
      role: "left",
      type: "tun",
      addresses: ["10.99.0.1/24"],
      port: 4444,
      options: ["-X", CONTROL, "-S", "3333", "--sync-any-user"],
    });
  }

  /** What `showtables` prints of whoever serves there. */
  tables(place: string): Promise<string> {
    const show = ["showtables", "--sync-any-user", "--connect", place];
    return this.host.run([...fromSource.command, ...show]);
  }

  shows(place: string, what: RegExp, isThere = true): Promise<void> {
    const title = `${place} ${isThere ? "has" : "lacks"} ${what.source}`;
    return until(
      title,
      20,
      async () => what.test(await this.tables(place)) === isThere,
    );
  }
}

labTest(
  "a fleet's clients come, change and go at a member, and outlive the engine",
  "fs0",
  [oursNative.missing(), whyNoEtcd()],
  async ({ left }) => {
    using folder = new TestFolder();
    const fleet = new Fleet(left, folder);
    const controld = fleet.controld();
    await controld.line(/no clients are kept on disk: no server is let in/);
    await controld.line(/dropped privileges to nobody/);
    await assert.rejects(fleet.tables(CONTROL), /refused/);
    const engine = await fleet.engine();
    await controld.line(/serving 0 clients of/);
    await engine.ctl("put", "/fleet/clients/one", "--", clientText(1, "0a"));
    await fleet.shows(CONTROL, /10\.1\.0\.0/);
    const member = await fleet.member();
    await member.line(/sync: connected to/, 20);
    await fleet.shows(MEMBER, /10\.1\.0\.0/);

    await engine.ctl("put", "/fleet/clients/two", "--", clientText(2, "0b"));
    await fleet.shows(MEMBER, /10\.2\.0\.0/);
    const changed = clientText(2, "0b").replace("10.2.", "10.22.");
    await engine.ctl("put", "/fleet/clients/two", "--", changed);
    await fleet.shows(MEMBER, /10\.22\.0\.0/);
    await engine.ctl("del", "/fleet/clients/one");
    await controld.line(/client one \(connection 1\) is gone/);
    await fleet.shows(MEMBER, /10\.1\.0\.0/, false);

    await engine.process.stop("SIGKILL");
    await controld.line(/Cannot follow http.*what is known stays in use/);
    await controld.stop();
    const kept = [...Deno.readDirSync(folder.file("state"))]
      .filter(({ name }) => name.startsWith("clients-"));
    assert.equal(kept.length, 1);
    const path = folder.file(`state/${kept[0]?.name}`);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);

    const again = fleet.controld();
    await again.line(/serving 1 clients as they were kept on disk/);
    await fleet.shows(CONTROL, /10\.22\.0\.0/);
    const back = await fleet.engine();
    await again.line(/answers again/);
    await back.ctl("put", "/fleet/clients/three", "--", clientText(3, "0c"));
    await fleet.shows(MEMBER, /10\.3\.0\.0/);
    await again.stop();
    await back.process.stop();
  },
);
