import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { AnnounceRig, prefixOf } from "../../fakes/announce_rig.ts";

Deno.test("an address is at the device while the member is fit, and taken in all the time", async () => {
  const rig = new AnnounceRig({
    addresses: ["192.0.2.1/32", "2001:db8::1/128"].map(prefixOf),
  });
  const { device, healthIs, lifecycle, pass, run } = rig;
  const over = run();
  await pass(500);
  assert.deepEqual([device.here.size, device.takenIn.size], [0, 2]);
  for (const state of ["fit", "draining", "fit", "unfit"] as const) {
    healthIs(state);
    const isFit = state === "fit";
    assert.deepEqual(device.here.size, isFit ? 2 : 0, `at once when ${state}`);
    assert.equal(device.takenIn.size, 2, "what still comes is carried");
    assert.deepEqual(rig.announcement.report(), [
      "anycast: 192.0.2.1/32, 2001:db8::1/128 on any0 is " +
      `${isFit ? "announced" : "withdrawn"}, the guard is starting`,
    ]);
  }
  lifecycle.stop();
  await pass(11_000);
  await over;
  assert.deepEqual([device.here.size, device.takenIn.size], [0, 0]);
});

Deno.test("at the end an address goes first, and nothing else stops while something still comes", async () => {
  const rig = new AnnounceRig();
  const { healthIs, lifecycle, notes, pass, run, traffic } = rig;
  const over = run();
  await pass(100);
  assert.equal(rig.announcement.endTakes(), 0);
  healthIs("fit");
  assert.equal(rig.announcement.endTakes(), 10_000);
  notes.length = 0;
  lifecycle.stop();
  for (let second = 0; second < 5; second++) {
    traffic.received++;
    await pass(1000);
  }
  assert.deepEqual(notes, ["remove 192.0.2.1/32"]);
  await pass(2000);
  await over;
  assert.deepEqual(notes.slice(1), [
    ...["let the guard go", "remove 192.0.2.1/32", "close the device"],
    ...["end plane", "close plane"],
  ]);
});

Deno.test("the end waits for --drain-time at the most, and a second signal does not wait", async () => {
  for (const isHurried of [false, true]) {
    const rig = new AnnounceRig();
    const { healthIs, lifecycle, logger, notes, pass, run, traffic } = rig;
    const over = run();
    await pass(100);
    healthIs("fit");
    lifecycle.stop();
    for (let k = 0; k < (isHurried ? 10 : 99); k++) {
      traffic.received++;
      await pass(100);
    }
    assert.ok(!notes.includes("close plane"));
    if (isHurried) lifecycle.stop();
    else await pass(200);
    await over;
    const text = logger.lines.join("\n");
    if (!isHurried) assert.match(text, /drained for 10 s \(--drain-time\)/);
    else assert.doesNotMatch(text, /drained/);
  }
});

Deno.test("a member that was never announced, or is drained by now, ends at once", async () => {
  for (const isDrained of [false, true]) {
    const { healthIs, lifecycle, pass, run } = new AnnounceRig();
    const over = run();
    await pass(100);
    if (isDrained) {
      healthIs("fit");
      healthIs("draining");
      await pass(3000);
    }
    lifecycle.stop();
    await over;
  }
});

Deno.test("an address that is there at the start is taken away, and one elsewhere is named", async () => {
  const { device, lifecycle, logger, pass, run } = new AnnounceRig();
  device.here.add("192.0.2.1/32").add("192.0.2.9/32");
  device.elsewhere.add("192.0.2.1/24");
  const over = run();
  await pass(100);
  assert.deepEqual([...device.here], ["192.0.2.9/32"]);
  const text = logger.lines.join("\n");
  assert.match(text, /192\.0\.2\.1\/32 .* was on any0 already, left by a run/);
  assert.match(text, /192\.0\.2\.1\/24 .* is at another device as well/);
  lifecycle.stop();
  await over;
});

Deno.test("what others change at the device is set right, and what the kernel refuses is told once and tried again", async () => {
  const rig = new AnnounceRig();
  const { device, healthIs, lifecycle, logger, pass, run } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  device.here.clear();
  device.errno = Errno.ENODEV;
  await pass(5000);
  assert.equal(device.here.size, 0);
  const errors = logger.lines.filter((line) => line.startsWith("ERROR"));
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? "", /Cannot announce 192\.0\.2\.1\/32 .*ENODEV/);
  assert.equal(rig.announcement.status().isAnnounced, false);
  device.errno = 0;
  await pass(2000);
  assert.equal(device.here.size, 1);
  assert.equal(rig.announcement.status().isAnnounced, true);
  healthIs("draining");
  device.here.add("192.0.2.1/32");
  await pass(2000);
  assert.equal(device.here.size, 0, "drained stays drained");
  lifecycle.stop();
  await pass(3000);
  await over;
});

Deno.test("what the kernel does not take away is said to be announced, until it is gone", async () => {
  const rig = new AnnounceRig();
  const { announcement, device, healthIs, lifecycle, logger, pass, run } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  device.errno = Errno.EPERM;
  healthIs("draining");
  assert.equal(announcement.status().isAnnounced, true);
  await pass(3000);
  assert.equal(announcement.status().isAnnounced, true);
  // Its lifetime is over.
  device.here.clear();
  await pass(1000);
  assert.equal(announcement.status().isAnnounced, false);
  const errors = logger.lines.filter((line) => line.startsWith("ERROR"));
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? "", /Cannot withdraw 192\.0\.2\.1\/32 .*EPERM/);
  lifecycle.stop();
  await pass(3000);
  await over;
});

Deno.test("an address that this host does not take in is announced, and the fault told once", async () => {
  const rig = new AnnounceRig();
  const { announcement, device, healthIs, lifecycle, logger, pass, run } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  device.routeErrno = Errno.ENODEV;
  await pass(10_000);
  assert.equal(announcement.status().isAnnounced, true);
  const errors = logger.lines.filter((line) => line.startsWith("ERROR"));
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? "", /Cannot have this host take in .*ENODEV/);
  lifecycle.stop();
  await pass(3000);
  await over;
});

Deno.test("a guard that has withdrawn is believed, and the member announced again after a rest", async () => {
  const rig = new AnnounceRig({ script: "/announce" });
  const {
    device,
    healthIs,
    lifecycle,
    logger,
    notes,
    pass,
    run,
    said,
    script,
  } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  script.ends.push({ word: "announce", status: 0 });
  await pass(100);
  assert.ok(rig.guard.beats > 0);
  notes.length = 0;
  said.push({ kind: "withdrawn" });
  await pass(1500);
  assert.deepEqual(notes, ["remove 192.0.2.1/32", "script withdraw"]);
  script.ends.push({ word: "withdraw", status: 0 });
  // Still without a beat of the thread that carries.
  said.push({ kind: "withdrawn" });
  await pass(1500);
  assert.equal(device.here.size, 0);
  await pass(1000);
  assert.equal(device.here.size, 1);
  assert.equal(notes.at(-1), "add 192.0.2.1/32");
  script.ends.push({ word: "announce", status: 0 });
  lifecycle.stop();
  await pass(100);
  script.ends.push({ word: "withdraw", status: 0 });
  await pass(3000);
  await over;
  const told = logger.lines.flatMap((line) =>
    /^NOTICE: (exec\w+|script) '\/announce (\w+)/.exec(line)?.slice(1) ?? []
  );
  const runOf = (word: string) => ["executing", word, "script", word];
  assert.deepEqual(
    told,
    ["announce", "withdraw", "announce", "withdraw"].flatMap(runOf),
  );
});

Deno.test("a run that a guard has asked for is named, and no other one waited for", async () => {
  const rig = new AnnounceRig({ script: "/announce" });
  const { healthIs, lifecycle, logger, notes, pass, run, script } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  script.ends.push({ word: "announce", status: 0 });
  await pass(100);
  // Its guard is sooner than what it says of that.
  script.ends.push({ word: "withdraw", status: 3 });
  await pass(100);
  assert.match(
    logger.lines.join("\n"),
    /ERROR: script '\/announce withdraw' ret/,
  );
  notes.length = 0;
  lifecycle.stop();
  await pass(3000);
  await over;
  assert.ok(!notes.includes("script withdraw"));
  assert.doesNotMatch(logger.lines.join("\n"), /has not ended/);
});

Deno.test("the run of a guard is not taken for one that the end waits for", async () => {
  const rig = new AnnounceRig({ script: "/announce", device: undefined });
  const { healthIs, lifecycle, notes, pass, run, script } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  script.ends.push({ word: "withdraw", status: 0 });
  await pass(100);
  lifecycle.stop();
  await pass(100);
  script.ends.push({ word: "announce", status: 0 });
  await pass(5000);
  assert.ok(!notes.includes("close plane"), "it has not returned");
  script.ends.push({ word: "withdraw", status: 0 });
  await pass(200);
  await over;
});

Deno.test("a guard that ends, fails or does not answer is named, and what is announced stays", async () => {
  const { device, guard, healthIs, lifecycle, logger, pass, run, said } =
    new AnnounceRig();
  const over = run();
  await pass(100);
  healthIs("fit");
  said.push({ kind: "ready" });
  guard.takes = false;
  await pass(1000);
  guard.takes = true;
  said.push({ kind: "failed", reason: "no reason" }, { kind: "gone" });
  await pass(1000);
  const errors = logger.lines.filter((line) => line.startsWith("ERROR"))
    .map((line) => line.replace(/:[^:]*$/, ""));
  assert.deepEqual(errors, [
    "ERROR: the guard of the announcement does not answer",
    "ERROR: the guard of the announcement has failed: no reason",
    "ERROR: the guard of the announcement has ended (killed by signal 9)",
  ]);
  const { beats } = guard;
  await pass(1000);
  assert.equal(guard.beats, beats);
  assert.equal(device.here.size, 1);
  lifecycle.stop();
  await pass(3000);
  await over;
});

Deno.test("a script is told of each change with the addresses behind, and waited for at the end", async () => {
  const rig = new AnnounceRig({ script: "/announce", device: undefined });
  const { healthIs, lifecycle, logger, notes, pass, run, script } = rig;
  const over = run();
  await pass(100);
  assert.deepEqual(script.start?.args, ["192.0.2.1/32"]);
  assert.equal(script.start?.env.ANYTUN_NAME, "office");
  healthIs("fit");
  script.ends.push({ word: "announce", status: 3 });
  await pass(200);
  assert.match(
    logger.lines.join("\n"),
    /ERROR: script '\/announce announce' returned 3 \(--announce-script\)/,
  );
  lifecycle.stop();
  await pass(5000);
  assert.ok(!notes.includes("close plane"), "it has not returned");
  script.ends.push({ word: "withdraw", status: 0 });
  await pass(200);
  await over;
  const words = notes.filter((note) => note.startsWith("script"));
  assert.deepEqual(words.slice(0, 2), ["script announce", "script withdraw"]);
});

Deno.test("who is announced again drains no more, and a HUP changes how long the end takes", async () => {
  const rig = new AnnounceRig();
  const { announcement, healthIs, lifecycle, logger, pass, run } = rig;
  const over = run();
  await pass(100);
  healthIs("fit");
  healthIs("draining");
  assert.equal(announcement.endTakes(), 10_000);
  healthIs("fit");
  await pass(5000);
  assert.doesNotMatch(logger.lines.join("\n"), /drained/);
  announcement.reload({ drainTime: 3 });
  assert.equal(announcement.endTakes(), 3000);
  lifecycle.stop();
  await pass(3000);
  await over;
});

Deno.test("an end that waits for nothing withdraws as well", () => {
  const rig = new AnnounceRig({ script: "/announce" });
  rig.announcement.start();
  rig.healthIs("fit");
  rig.notes.length = 0;
  // As where a service before it does not start.
  rig.announcement.close();
  assert.equal(rig.device.here.size, 0);
  assert.deepEqual(rig.notes.slice(0, 2), [
    "remove 192.0.2.1/32",
    "script withdraw",
  ]);
});
