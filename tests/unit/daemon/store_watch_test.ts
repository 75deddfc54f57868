import { strict as assert } from "node:assert";
import {
  clusterOf,
  Disk,
  keyOf,
  recordOf,
  StoreSourceRig,
} from "../../fakes/store_source_rig.ts";
import type { FakeEtcd } from "../../fakes/fake_etcd.ts";

Deno.test("after a broken watch it goes on where it was", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  rig.told.length = 0;
  etcd.hangUp();
  etcd.isDown = true;
  etcd.delete(keyOf("c1"));
  etcd.put(keyOf("c4"), recordOf(4));
  await rig.pass(20);
  assert.equal(rig.served.length, 3, "what was known stays");
  etcd.isDown = false;
  const ranges = etcd.asked.length;
  await rig.pass(5);
  await rig.until(() => rig.told.length === 2);
  assert.deepEqual(rig.told, ["-1 000102", "+4 000102"]);
  assert.deepEqual(etcd.asked.slice(ranges).slice(0, 3), [
    "/v3/kv/range",
    "/v3/kv/txn",
    "/v3/watch",
  ]);
  const lost = rig.logger.lines.filter((line) => line.startsWith("WARNING"));
  assert.equal(lost.length, 1, lost.join("\n"));
  assert.ok(rig.logger.lines.some((line) => line.endsWith("answers again")));
});

Deno.test("what the store has forgotten is found by reading all of it", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  rig.told.length = 0;
  etcd.hangUp();
  etcd.isDown = true;
  etcd.delete(keyOf("c1"));
  etcd.put(keyOf("c2"), recordOf(22));
  etcd.compact();
  etcd.isDown = false;
  await rig.pass(1);
  await rig.until(() => rig.told.length === 3);
  assert.deepEqual(rig.told.toSorted(), [
    "+22 000102",
    "-1 000102",
    "-2 000102",
  ]);
});

Deno.test("a store that forgets again and again is not asked in a loop", async () => {
  const etcd = clusterOf(1);
  await using rig = await new StoreSourceRig(etcd, new Disk()).start();
  const watches = () =>
    etcd.asked.filter((path) => path === "/v3/watch").length;
  etcd.lies.shift = () =>
    etcd.asked.at(-1) === "/v3/watch"
      ? new Response('{"error":{"grpc_code":11}}\n')
      : undefined;
  rig.run();
  await rig.until(() => watches() > 0);
  for (let k = 0; k < 50; k++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(watches(), 1);
  await rig.pass(20);
  assert.ok(watches() > 1);
  const lines = rig.logger.lines.filter((line) => /forgotten/.test(line));
  assert.ok(lines.length < 10, lines.join("\n"));
});

Deno.test("a watch that tells nothing of what happens is noticed, though all else is answered", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.isMute = true;
  etcd.delete(keyOf("c1"));
  await rig.pass(100);
  assert.equal(rig.served.length, 3);
  etcd.isMute = false;
  await rig.pass(60);
  await rig.until(() => rig.served.length === 2);
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 3);
});

Deno.test("what another store tells at the same place is taken for no change of this one", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.isMute = true;
  etcd.delete(keyOf("c1"));
  etcd.isMute = false;
  etcd.cluster = "5";
  etcd.put(keyOf("c4"), recordOf(4));
  await rig.pass(2);
  await rig.until(() => rig.served.join().startsWith("2 "));
  assert.equal(rig.served.length, 3);
});

Deno.test("a store that was restored from a backup is read anew, though it has counted on", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.restore(keyOf("c1"));
  await rig.pass(2);
  await rig.until(() => rig.served.length === 2);
});

Deno.test("a watch that only seems to be there is left", async () => {
  const etcd = clusterOf(1);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.isDown = true;
  await rig.pass(6);
  assert.equal(etcd.watchers, 0);
  assert.match(rig.source.report().join(), /without an answer of/);
});

Deno.test("a watch at a member that has lost the others is taken to another one", async () => {
  const etcd = clusterOf(1);
  await using rig = await StoreSourceRig.following(etcd);
  const watches = () =>
    etcd.asked.filter((path) => path === "/v3/watch").length;
  assert.equal(watches(), 1);
  etcd.deaf.add("a");
  await rig.pass(6);
  await rig.until(() => watches() === 2);
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 2);
});

Deno.test("a store that lies is left with what was known", async () => {
  const etcd = clusterOf(2);
  await using rig = await StoreSourceRig.following(etcd);
  const header = { cluster_id: etcd.cluster, revision: String(etcd.revision) };
  for (
    const lie of [
      new Response("<html>"),
      Response.json({}),
      Response.json({ header: { ...header, revision: "9".repeat(30) } }),
      Response.json({ header: {} }),
    ]
  ) {
    etcd.lies.push(lie);
    etcd.hangUp();
    await rig.pass(6);
  }
  assert.deepEqual(rig.served, ["1 000102", "2 000102"]);
  await rig.watched();
});

for (
  const [what, code, isReadAgain] of [
    ["that it has no leader", 14, false],
    ["that it is asked too much", 8, false],
    ["what has no code", undefined, false],
    ["that it takes no such question", 3, true],
  ] as const
) {
  Deno.test(`a store that answers ${what} is ${isReadAgain ? "" : "not "}read anew`, async () => {
    const etcd = clusterOf(2);
    await using rig = await StoreSourceRig.following(etcd);
    const answers = [Response.json({ code, message: "no" }, { status: 503 })];
    etcd.lies.shift = () =>
      etcd.asked.at(-1) === "/v3/kv/txn" ? answers.pop() : undefined;
    etcd.hangUp();
    await rig.pass(3);
    await rig.watched();
    assert.equal(answers.length, 0);
    const asked = etcd.asked.filter((path) => path === "/v3/kv/txn").length;
    assert.equal(asked, isReadAgain ? 1 : 2);
    const lines = rig.logger.lines.join("\n");
    assert.equal(/past is not/.test(lines), isReadAgain, lines);
  });
}

/** Restored as it was before `lost`, with `since` done to it afterwards. */
async function restored(
  lost: (etcd: FakeEtcd) => void,
  since: (etcd: FakeEtcd) => void,
): Promise<readonly string[]> {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  const backup = etcd.backup();
  lost(etcd);
  // Which is known, too.
  etcd.put(keyOf("last"), recordOf(99));
  await rig.until(() => rig.served.includes("99 000102"));
  etcd.isDown = true;
  etcd.restoreFrom(backup);
  since(etcd);
  // It has counted on for as long, and longer.
  for (let k = 0; k < 9; k++) etcd.put("/other", "x");
  etcd.isDown = false;
  await rig.pass(5);
  await rig.watched();
  return rig.served.map((words) => words.split(" ")[0] ?? "").toSorted();
}

const nothing = () => {};

Deno.test("a store that was restored from a backup is read anew, though neither revision nor term shows it", async () => {
  assert.deepEqual(
    await restored((etcd) => etcd.delete(keyOf("c1")), nothing),
    ["1", "2", "3"],
    "who was removed in the past that is lost is back, as in the store",
  );
  assert.deepEqual(
    await restored(nothing, (etcd) => etcd.delete(keyOf("c1"))),
    ["2", "3"],
  );
  assert.deepEqual(
    await restored(
      (etcd) => etcd.delete(keyOf("c1")),
      (etcd) => etcd.delete(keyOf("c2")),
    ),
    ["1", "3"],
  );
});

Deno.test("other keys of the same client at the same revision are noticed after a restored backup", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  const backup = etcd.backup();
  const keyed = (start: string) =>
    recordOf(2).replace("key 00", `key ${start}`);
  etcd.put(keyOf("c2"), keyed("aa"));
  await rig.until(() => rig.told.includes("+2 aa0102"));
  etcd.restoreFrom(backup);
  etcd.put(keyOf("c2"), keyed("bb"));
  etcd.put("/other", "x");
  await rig.pass(2);
  await rig.until(() => rig.told.includes("+2 bb0102"));
});

Deno.test("who was removed while others alone moved the store on is removed after a restored backup", async () => {
  const etcd = clusterOf(3);
  await using rig = await StoreSourceRig.following(etcd);
  const backup = etcd.backup();
  etcd.put("/other", "x");
  etcd.put("/other", "x");
  etcd.progress();
  await rig.pass(1);
  etcd.restoreFrom(backup);
  etcd.delete(keyOf("c1"));
  for (let k = 0; k < 9; k++) etcd.put("/other", "x");
  await rig.pass(2);
  await rig.until(() => rig.served.length === 2);
});

Deno.test("within ten minutes of a broken watch all is read again, for what its last changes do not show", async () => {
  const etcd = clusterOf(40);
  await using rig = await StoreSourceRig.following(etcd);
  const { store, ...backup } = etcd.backup();
  const [key = "", first] = [...store][0] ?? [];
  assert.ok(first);
  const value = recordOf(1).replace("key 00", "key bb");
  etcd.restoreFrom({
    ...backup,
    store: new Map(store).set(key, { ...first, value }),
  });
  await rig.pass(15);
  assert.ok(rig.served.includes("1 000102"));
  await rig.pass(15);
  await rig.until(() => rig.served.includes("1 bb0102"));
});

Deno.test("a watch that tells what is past takes nothing back", async () => {
  const etcd = clusterOf(2);
  await using rig = await StoreSourceRig.following(etcd);
  etcd.put(keyOf("c1"), recordOf(1).replace("key 00", "key bb"));
  await rig.until(() => rig.told.includes("+1 bb0102"));
  etcd.repeat(keyOf("c1"));
  await rig.until(() => rig.logger.lines.some((line) => /is past/.test(line)));
  await rig.pass(1);
  await rig.watched();
  assert.ok(rig.served.includes("1 bb0102"));
  assert.deepEqual(rig.told.filter((words) => words.startsWith("+1 00")), []);
});

Deno.test("a watch that lies each time is asked for ever more seldom, and says little of it", async () => {
  const etcd = clusterOf(1);
  await using rig = await new StoreSourceRig(etcd, new Disk()).start();
  const header = { cluster_id: "5", revision: "9" };
  etcd.lies.shift = () =>
    etcd.asked.at(-1) === "/v3/watch"
      ? Response.json({ result: { header } })
      : undefined;
  rig.run();
  const watches = () =>
    etcd.asked.filter((path) => path === "/v3/watch").length;
  await rig.until(() => watches() > 0);
  await rig.pass(60);
  assert.ok(watches() < 20, `${watches()}`);
  const { lines } = rig.logger;
  assert.ok(lines.length < 30, lines.join("\n"));
});
