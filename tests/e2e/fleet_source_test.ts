import { strict as assert } from "node:assert";
import { TestFolder } from "../../lab/daemons.ts";
import { whyNoEtcd } from "../../lab/etcd.ts";
import { CONTROL, FleetLab, MEMBER } from "../../lab/fleet_lab.ts";
import type { LabHost } from "../../lab/host.ts";
import { oursNative } from "../../lab/peers.ts";
import { fromSource } from "../../lab/programs.ts";
import { lostPings } from "../../lab/lost_pings.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

/** Where the member tells what it knows. */
const PLACE = "127.0.0.1:3333";
const SALT = "000102030405060708090a0b0c0d";

function clientText(mux: number, key: string): string {
  const route = `route 10.${mux}.0.0/16`;
  return `mux ${mux}\n${route}\nkey ${key.repeat(16)}\nsalt ${SALT}`;
}

/** What `showtables` prints of whoever serves there. */
function tables(host: LabHost, place: string): Promise<string> {
  const show = ["showtables", "--sync-any-user", "--connect", place];
  return host.run([...fromSource.command, ...show]);
}

labTest(
  "a fleet's clients come, change and go at a member, and outlive the store",
  "fs0",
  [oursNative.missing(), whyNoEtcd()],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const fleet = new FleetLab(left, folder);
    const startControld = () =>
      fleet.startControld("-u", "nobody", "--state-dir", folder.file("state"));
    const shows = (place: string, what: RegExp, isThere = true) =>
      until(
        `${place} ${isThere ? "has" : "lacks"} ${what.source}`,
        20,
        async () => what.test(await tables(left, place)) === isThere,
      );
    const controld = startControld();
    await controld.line(/no clients are kept on disk: no server is let in/);
    await controld.line(/dropped privileges to nobody/);
    await assert.rejects(tables(left, CONTROL), /refused/);
    const store = await fleet.startStore();
    await controld.line(/serving 0 clients of/);
    await store.ctl("put", "/fleet/clients/one", "--", clientText(1, "0a"));
    await shows(CONTROL, /10\.1\.0\.0/);
    await fleet.startMember("-S", "3333", "--sync-any-user");
    await shows(PLACE, /10\.1\.0\.0/);

    await store.ctl("put", "/fleet/clients/two", "--", clientText(2, "0b"));
    await shows(PLACE, /10\.2\.0\.0/);
    const changed = clientText(2, "0b").replace("10.2.", "10.99.");
    await store.ctl("put", "/fleet/clients/two", "--", changed);
    await shows(PLACE, /10\.99\.0\.0/);
    await store.ctl("del", "/fleet/clients/one");
    await controld.line(/client one \(connection 1\) is gone/);
    await shows(PLACE, /10\.1\.0\.0/, false);

    await oursNative.start(right, {
      role: "right",
      type: "tun",
      addresses: ["10.99.0.5/24"],
      port: 4444,
      remote: { host: left.ipv4, port: 4444 },
      options: ["-m", "2", "-K", "0b".repeat(16), "-A", SALT],
    });
    await right.ping(MEMBER);
    const seen = controld.lines.length;
    const lost = await lostPings(right, MEMBER, async () => {
      await store.process.stop("SIGKILL");
      await controld.line(
        /Cannot follow http.*what is known stays in use/,
        undefined,
        seen,
      );
      await controld.stop();
    });
    assert.deepEqual(lost, []);
    const kept = [...Deno.readDirSync(folder.file("state"))]
      .filter(({ name }) => name.startsWith("clients-"));
    assert.equal(kept.length, 1);
    const path = folder.file(`state/${kept[0]?.name}`);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);

    const again = startControld();
    await again.line(/serving 1 clients as they were kept on disk/);
    await shows(CONTROL, /10\.99\.0\.0/);
    await using back = await fleet.startStore();
    await again.line(/answers again/);
    await back.ctl("put", "/fleet/clients/three", "--", clientText(3, "0c"));
    await shows(PLACE, /10\.3\.0\.0/);
    await again.stop();
  },
);

labTest(
  "a store that was restored from a snapshot is read anew, though it seems to be what it was",
  "fs1",
  [whyNoEtcd()],
  async ({ left }) => {
    using folder = new TestFolder();
    const fleet = new FleetLab(left, folder);
    const snapshot = folder.file("snapshot");
    const keyOf = (name: string) => `/fleet/clients/${name}`;
    const controld = await (async () => {
      await using store = await fleet.startStore();
      await store.ctl("put", keyOf("one"), "--", clientText(1, "0a"));
      await store.ctl("put", keyOf("two"), "--", clientText(2, "0b"));
      // Where all are missing they are taken for lost.
      await store.ctl("put", keyOf("three"), "--", clientText(3, "0c"));
      const controld = fleet.startControld("--state-dir", "none");
      await controld.line(/serving 3 clients of/);
      await store.ctl("snapshot", "save", snapshot);
      await store.ctl("del", keyOf("one"));
      await controld.line(/client one \(connection 1\) is gone/);
      // It sees nothing of the revisions between.
      Deno.kill(controld.pid, "SIGSTOP");
      return controld;
    })();
    await fleet.restoreStore(snapshot);
    await using store = await fleet.startStore();
    await store.ctl("del", keyOf("two"));
    for (let k = 0; k < 3; k++) await store.ctl("put", "/other", `${k}`);
    Deno.kill(controld.pid, "SIGCONT");
    await controld.line(/past is not what it was/);
    await controld.line(/client two \(connection 2\) is gone/);
    await controld.line(/client one \(connection 1\) is new/);
    // One that only starts anew is what it was.
    await store.process.stop("SIGKILL");
    await using again = await fleet.startStore();
    await again.ctl("put", keyOf("four"), "--", clientText(4, "0d"));
    await controld.line(/client four \(connection 4\) is new/);
    const told = controld.lines.filter((line) => /past is not/.test(line));
    assert.equal(told.length, 1);
    await controld.stop();
  },
);
