import { strict as assert } from "node:assert";
import type { SourceOptions } from "../../../src/config/source.ts";
import {
  clusterOf,
  Disk,
  KEY,
  keyOf,
  recordOf,
  SOURCE,
  StoreSourceRig,
} from "../../fakes/store_source_rig.ts";

const textOf = ({ file }: Disk) => new TextDecoder().decode(file);

Deno.test("all clients are read page by page, and what changes is told alone", async () => {
  const etcd = clusterOf(1200);
  await using rig = new StoreSourceRig(etcd, new Disk());
  await rig.start();
  assert.equal(rig.served.length, 1200);
  assert.equal(etcd.asked.filter((path) => path === "/v3/kv/range").length, 3);
  rig.told.length = 0;
  await rig.run().watched();
  etcd.put(keyOf("c7"), recordOf(7, "route 10.7.0.0/16"));
  etcd.put(keyOf("x"), recordOf(2000, "route 10.8.0.0/16"));
  etcd.put(keyOf("c7"), recordOf(7).replace(KEY, `ff${KEY.slice(2)}`));
  etcd.delete(keyOf("c9"));
  await rig.until(() => rig.told.includes("-9 000102"));
  assert.deepEqual(rig.told, [
    "+7 10.7.0.0/16",
    ...["+2000 000102", "+2000 10.8.0.0/16"],
    ...["-7 10.7.0.0/16", "+7 ff0102"],
    "-9 000102",
  ]);
  assert.equal(rig.served.length, 1201);
  assert.ok(
    rig.logger.lines.includes("NOTICE: client c9 (connection 9) is gone"),
  );
});

Deno.test("keys that are no text, more than a page of them, keep nobody from the clients behind", async () => {
  const etcd = clusterOf(2);
  for (let k = 1000; k < 1600; k++) etcd.put(keyOf(`b\xff${k}`), recordOf(k));
  await using rig = await new StoreSourceRig(etcd, new Disk()).start();
  assert.equal(rig.served.length, 2);
});

Deno.test("a store that is empty at once takes nobody away until that is allowed", async () => {
  const etcd = clusterOf(3);
  const disk = new Disk();
  await using rig = await StoreSourceRig.following(etcd, disk);
  etcd.remake();
  await rig.pass(1);
  await rig.until(() => rig.logger.lines.some((line) => /lacks 3/.test(line)));
  assert.equal(rig.served.length, 3);
  assert.match(rig.source.report().join(), /3 of which it has no more/);
  await rig.watched();
  etcd.put(keyOf("c2"), recordOf(2));
  await rig.until(() => /2 of which/.test(rig.source.report().join()));
  etcd.delete(keyOf("c2"));
  await rig.until(() => rig.served.length === 2);
  rig.source.reload({ source: SOURCE, sourceAllowLoss: true });
  await rig.until(() => rig.served.length === 0);
  rig.source.close();
  assert.match(textOf(disk), /^\["anytun-fleet 1",0\]\n$/);
});

Deno.test("who stays though the store has lost them stays when some of them are back", async () => {
  const etcd = clusterOf(5);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.remake();
  await rig.pass(1);
  await rig.until(() => /5 of which/.test(rig.source.report().join()));
  await rig.watched();
  etcd.put(keyOf("c2"), recordOf(2));
  await rig.until(() => /4 of which/.test(rig.source.report().join()));
  etcd.restore();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.pass(2);
  await rig.until(() => rig.served.length === 6);
  assert.match(rig.source.report().join(), /4 of which/);
});

Deno.test("who stays though the store has lost them stays after a restart, until that is allowed", async () => {
  const etcd = clusterOf(5);
  const disk = new Disk();
  {
    await using rig = await StoreSourceRig.following(etcd, disk);
    await rig.pass(1);
    etcd.remake();
    await rig.pass(1);
    await rig.until(() => /5 of which/.test(rig.source.report().join()));
    await rig.pass(1);
    // Nothing else has changed, and a kill may follow.
    assert.match(textOf(disk), /^\["anytun-fleet 1",5,\["c1",.*"c5"\]\]\n/);
    await rig.watched();
    // With the revision that it had: it is held no more, and else the same.
    etcd.put(keyOf("c1"), recordOf(1));
    await rig.until(() => /4 of which/.test(rig.source.report().join()));
  }
  assert.match(textOf(disk), /^\["anytun-fleet 1",5,\["c2",.*"c5"\]\]\n/);
  await using rig = await new StoreSourceRig(etcd, disk).start();
  assert.equal(rig.served.length, 5);
  assert.deepEqual(rig.told, []);
  assert.match(rig.source.report().join(), /4 of which/);
  await rig.run().watched();
  // Of the mux of one that stays, and older.
  etcd.put(keyOf("x"), `${recordOf(5)}\nroute 10.5.0.0/16`);
  await rig.until(() => /3 of which/.test(rig.source.report().join()));
  assert.equal(rig.served.length, 6);
  await rig.pass(1);
  assert.match(textOf(disk), /^\["anytun-fleet 1",5,\["c2","c3","c4"\]\]\n/);
  rig.source.reload({ source: SOURCE, sourceAllowLoss: true });
  await rig.until(() => rig.served.length === 3);
  rig.source.close();
  assert.match(textOf(disk), /^\["anytun-fleet 1",2\]\n/);
});

Deno.test("of many clients a few may go while nobody watches", async () => {
  const etcd = clusterOf(30);
  const disk = new Disk();
  {
    await using rig = await new StoreSourceRig(etcd, disk).start();
    assert.equal(rig.served.length, 30);
  }
  for (let mux = 1; mux <= 15; mux++) etcd.delete(keyOf(`c${mux}`));
  await using some = await new StoreSourceRig(etcd, disk).start();
  assert.equal(some.served.length, 15);
  assert.equal(some.told.length, 15, "members may know them from before");
  assert.ok(some.told.includes("-1 000102"));
  some.source.close();
  for (let mux = 16; mux <= 26; mux++) etcd.delete(keyOf(`c${mux}`));
  await using most = await new StoreSourceRig(etcd, disk).start();
  assert.equal(most.served.length, 15);
  assert.ok(most.logger.lines.some((line) => /lacks 11 of 15/.test(line)));
});

Deno.test("a token that has ended is replaced, and a wrong password is named", async () => {
  const etcd = clusterOf(1);
  etcd.login = { name: "controld", password: "right" };
  await using rig = await new StoreSourceRig(etcd, new Disk(), etcd.login)
    .start();
  await rig.run().watched();
  etcd.forgetTokens();
  etcd.hangUp();
  await rig.pass(1);
  await rig.watched();
  await using other = new StoreSourceRig(etcd, new Disk(), {
    name: "controld",
    password: "wrong",
  });
  const started = other.start();
  await other.pass(1);
  assert.match(other.logger.lines.join(), /authentication failed/);
  etcd.login = { name: "controld", password: "wrong" };
  await other.pass(5);
  await started;
});

Deno.test("files about the store that have changed at a HUP are named, and wait for the next start", async () => {
  const etcd = clusterOf(1);
  const login = { name: "reader", password: "before" };
  const identity = { certificate: "c", key: "k" };
  const before = { ...SOURCE, login, tls: { authority: "a", identity } };
  await using rig = await new StoreSourceRig(
    etcd,
    new Disk(),
    undefined,
    before,
  )
    .start();
  const reload = (source: SourceOptions | undefined) => {
    rig.logger.lines.length = 0;
    rig.source.reload({ source, sourceAllowLoss: false });
    return rig.logger.lines;
  };
  assert.deepEqual(reload(before), []);
  // As where a start alone can read them.
  const hidden = {
    login: { ...login, password: "" },
    tls: { authority: "a", identity: { ...identity, key: "" } },
  };
  assert.deepEqual(reload({ ...before, ...hidden }), []);
  const after = {
    login: { ...login, password: "secret" },
    tls: { authority: "b", identity: { certificate: "d", key: "l" } },
  };
  assert.deepEqual(
    reload({ ...before, ...after }),
    ["ca", "cert", "key", "password-file"].map((file) =>
      `WARNING: the file of --source-${file} has changed: takes effect at the ` +
      "next start"
    ),
  );
});
