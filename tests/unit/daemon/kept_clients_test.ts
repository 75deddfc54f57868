import { strict as assert } from "node:assert";
import { KeptClients } from "../../../src/daemon/kept_clients.ts";
import {
  clusterOf,
  Disk,
  keyOf,
  recordOf,
  StoreSourceRig,
} from "../../fakes/store_source_rig.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

Deno.test("a start without the store serves what was kept on disk", async () => {
  const etcd = clusterOf(2);
  const disk = new Disk();
  {
    await using rig = await new StoreSourceRig(etcd, disk).start();
    await rig.run().watched();
    etcd.put(keyOf("x"), recordOf(9, "route 10.9.0.0/16"));
    await rig.until(() => rig.served.length === 4);
  }
  etcd.isDown = true;
  await using rig = await new StoreSourceRig(etcd, disk).start();
  assert.deepEqual(rig.served, [
    "1 000102",
    "2 000102",
    "9 000102",
    "9 10.9.0.0/16",
  ]);
  assert.ok(rig.logger.lines.some((line) => /as they were kept/.test(line)));
  assert.equal(rig.source.isStale, true);
  await rig.source.known;
  assert.match(rig.shown.at(-1) ?? "", /^without an answer of/);
  assert.deepEqual(rig.told, [], "members may know better");
  etcd.isDown = false;
  etcd.delete(keyOf("c1"));
  rig.run();
  await rig.pass(1);
  await rig.until(() => rig.told.at(-1) === "-1 000102");
});

Deno.test("a file of a version that marked nobody is read, and whom the store lacks of it goes", async () => {
  const disk = new Disk();
  const lines = ['["anytun-fleet 1",2]', '["c1",1,"mux 1\\nkd-prf null"]'];
  lines.push('["c7",2,"mux 7\\nkd-prf null"]', "");
  disk.file = new TextEncoder().encode(lines.join("\n"));
  const etcd = clusterOf(1);
  etcd.isDown = true;
  {
    await using rig = await new StoreSourceRig(etcd, disk).start();
    assert.equal(rig.served.length, 2);
  }
  etcd.isDown = false;
  await using rig = await new StoreSourceRig(etcd, disk).start();
  assert.deepEqual(rig.served, ["1 000102"]);
});

Deno.test("with nothing on disk and no store a daemon is up, says what it waits for, and nobody is let in", async () => {
  const etcd = clusterOf(1);
  etcd.isDown = true;
  await using rig = await new StoreSourceRig(etcd, new Disk()).start();
  const { lines } = rig.logger;
  assert.ok(lines.some((line) => /no server is let in until/.test(line)));
  assert.equal(rig.shown.at(-1), "waiting for the clients of http://a,b/fleet");
  const state = { isKnown: false };
  void rig.source.known.then(() => state.isKnown = true);
  rig.run();
  await rig.pass(30);
  assert.equal(state.isKnown, false);
  etcd.isDown = false;
  await rig.pass(6);
  await rig.until(() => state.isKnown);
  assert.equal(rig.served.length, 1);
  assert.equal(rig.shown.at(-1), "in step with http://a,b/fleet");
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.told.includes("+9 000102"));
  etcd.isDown = true;
  await rig.pass(6);
  await rig.until(() => /^without an answer/.test(rig.shown.at(-1) ?? ""));
});

for (
  const [what, file] of [
    ["another file", "x"],
    ["half a file", '["anytun-fleet 1",2]\n["a",1,"mux 1"]\n'],
    ["a file of another kind", '["anytun-fleet 2",0]\n'],
    ["a client of no age", '["anytun-fleet 1",1]\n["a",1.5,"mux 1"]\n'],
    ["a client that is none", '["anytun-fleet 1",1]\n["../a",1,"mux 1"]\n'],
    ["a mark of nobody", '["anytun-fleet 1",1,["b"]]\n["a",1,"mux 1"]\n'],
    ["a mark in no list", '["anytun-fleet 1",1,"a"]\n["a",1,"mux 1"]\n'],
    ["a mark that is none", '["anytun-fleet 1",1,null]\n["a",1,"mux 1"]\n'],
    [
      "a mark that is there twice",
      '["anytun-fleet 1",1,["a","a"]]\n["a",1,"mux 1"]\n',
    ],
  ] as const
) {
  Deno.test(`${what} in place of the clients is named, and not used`, async () => {
    const disk = new Disk();
    disk.file = new TextEncoder().encode(file);
    await using rig = await new StoreSourceRig(clusterOf(1), disk).start();
    assert.equal(rig.served.length, 1);
    assert.match(rig.logger.lines.join("\n"), /Cannot use the clients kept in/);
  });
}

Deno.test("a disk that is full is named once, and nothing else happens", async () => {
  const etcd = clusterOf(1);
  const disk = new Disk();
  disk.isFull = true;
  await using rig = await new StoreSourceRig(etcd, disk).start();
  await rig.run().watched();
  await rig.pass(1);
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 2);
  await rig.pass(1);
  const errors = () =>
    rig.logger.lines.filter((line) => /keep the cl/.test(line));
  assert.equal(errors().length, 1);
  disk.isFull = false;
  await rig.pass(10);
  assert.match(new TextDecoder().decode(disk.file), /"x",/);
  etcd.put(keyOf("y"), recordOf(10));
  await rig.until(() => rig.served.length === 3);
  await rig.pass(1);
  assert.ok(rig.logger.lines.some((line) => /kept on disk again/.test(line)));
  assert.match(new TextDecoder().decode(disk.file), /"y",/);
});

Deno.test("who was removed while the disk was full is gone from it after an orderly end", async () => {
  const etcd = clusterOf(2);
  const disk = new Disk();
  {
    await using rig = await new StoreSourceRig(etcd, disk).start();
    await rig.run().watched();
    await rig.pass(1);
    assert.match(new TextDecoder().decode(disk.file), /"c2",/);
    disk.isFull = true;
    etcd.delete(keyOf("c2"));
    await rig.until(() => rig.served.length === 1);
    await rig.pass(1);
    disk.isFull = false;
  }
  assert.doesNotMatch(new TextDecoder().decode(disk.file), /"c2",/);
});

Deno.test("while the disk is full it is tried every ten seconds, however much changes", async () => {
  const clock = new ManualClock();
  let tries = 0;
  const disk = {
    read: () => undefined,
    pathOf: (name: string) => name,
    replace() {
      tries++;
      throw new Error("no space left");
    },
  };
  const kept = new KeptClients(
    disk,
    "clients-x",
    () => ({ clients: new Map(), held: new Set() }),
    { delay: clock.delay, elapsed: clock.now },
    recordingLog(),
  );
  for (let change = 1; change <= 5; change++) {
    kept.ask();
    await clock.pass(200);
    assert.equal(tries, change);
  }
  for (let seconds = 0; seconds < 30; seconds++) await clock.pass(1000);
  assert.equal(tries, 5 + 3);
});
