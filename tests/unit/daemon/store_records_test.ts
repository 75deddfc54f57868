import { strict as assert } from "node:assert";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import { KeyChain } from "../../../src/satp/key_chain.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import {
  clusterOf,
  Disk,
  FIRST,
  KEY,
  keyOf,
  recordOf,
  StoreSourceRig,
} from "../../fakes/store_source_rig.ts";
import { FakeEtcd } from "../../fakes/fake_etcd.ts";

Deno.test("a bad record is named by its key, without its secret, and others go on", async () => {
  const etcd = clusterOf(1);
  await using rig = await StoreSourceRig.following(etcd);
  const bad = {
    letters: recordOf(2).replace(KEY, "topsecret"),
    files: "mux 3\nkey-file /etc/shadow",
    name: recordOf(4, "remote-host vpn.example"),
    keyless: "mux 5",
    long: `mux 6\n${"#".repeat(70_000)}`,
  };
  rig.logger.lines.length = 0;
  for (const [name, text] of Object.entries(bad)) etcd.put(keyOf(name), text);
  etcd.put(keyOf("c1"), "mux 1\nkey topsecret");
  etcd.put("/fleet/clients/../x", recordOf(7));
  etcd.put(keyOf("good"), recordOf(8));
  await rig.until(() => rig.told.at(-1) === "+8 000102");
  assert.deepEqual(rig.served, ["1 000102", "8 000102"]);
  const lines = rig.logger.lines.join("\n");
  for (const name of Object.keys(bad)) assert.ok(lines.includes(keyOf(name)));
  assert.doesNotMatch(lines, /topsecret/);
});

Deno.test("values that are too long for an answer are named, and those behind them are served", async () => {
  const etcd = clusterOf(600);
  const long = "x".repeat(1_500_000);
  for (let k = 0; k < 8; k++) etcd.put(keyOf(`b${k}`), long);
  etcd.put(keyOf("a"), long.repeat(3));
  await using rig = await new StoreSourceRig(etcd, new Disk()).start();
  assert.equal(rig.served.length, 600);
  const lines = rig.logger.lines.join("\n");
  assert.match(lines, /record: \/fleet\/clients\/a: it has more than 65536 /);
  assert.match(lines, /record: \/fleet\/clients\/b1: it has more than 65536 /);
});

Deno.test("of two clients with one mux the older one stays, and the other follows it", async () => {
  const etcd = clusterOf(1);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.put(keyOf("a"), recordOf(1).replace(KEY, `aa${KEY.slice(2)}`));
  etcd.put(keyOf("z"), recordOf(5));
  await rig.until(() => rig.served.includes("5 000102"));
  assert.ok(rig.served.includes("1 000102"));
  assert.match(
    rig.logger.lines.join("\n"),
    /clients\/a: its mux 1 is that of client c1, which is older/,
  );
  etcd.delete(keyOf("c1"));
  await rig.until(() => rig.served.includes("1 aa0102"));
  assert.deepEqual(rig.told.slice(-2), ["-1 000102", "+1 aa0102"]);
});

Deno.test("the keys of a client with a chain move on", async () => {
  const link = { interval: 60, epoch: FIRST, key: new Uint8Array(32).fill(1) };
  const keyAt = (epoch: number) =>
    new KeyChain(link, hkdf).secrets(epoch, "aes-ctr-256").key.toHex()
      .slice(0, 6);
  const etcd = new FakeEtcd();
  const text = new TextDecoder().decode(formatChainFile(link));
  etcd.put(keyOf("a"), "mux 1\nkd-prf aes-ctr-256");
  etcd.put(`${keyOf("a")}/chain`, text);
  await using rig = await StoreSourceRig.following(etcd);
  assert.deepEqual(rig.served, [`1 ${keyAt(FIRST)}`]);
  await rig.pass(61);
  assert.deepEqual(rig.told.at(-1), `+1 ${keyAt(FIRST + 1)}`);
  assert.deepEqual(rig.served, [`1 ${keyAt(FIRST + 1)}`]);
  etcd.put(`${keyOf("a")}/chain`, "no chain");
  await rig.until(() => /a\/chain: line 1/.test(rig.logger.lines.join()));
  etcd.delete(keyOf("a"), `${keyOf("a")}/chain`);
  await rig.until(() => rig.served.length === 0);
});
