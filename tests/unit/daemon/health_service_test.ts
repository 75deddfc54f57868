import { strict as assert } from "node:assert";
import type { HealthOptions } from "../../../src/config/health.ts";
import {
  clockCheck,
  ClusterCheck,
  deviceCheck,
  planeCheck,
} from "../../../src/daemon/health_checks.ts";
import { controlOf } from "../../../src/daemon/health_services.ts";
import { HealthService } from "../../../src/daemon/health_service.ts";
import type { Fault } from "../../../src/health/state_machine.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const OPTIONS: HealthOptions = {
  ...{ healthRise: 2, healthFall: 2, healthHold: 3 },
  ...{ healthSyncAge: 10, healthSyncLinks: undefined },
};

function rig() {
  const clock = new ManualClock();
  const logger = recordingLog();
  const found: { fault: Fault | undefined } = { fault: undefined };
  const shown: string[] = [];
  const health = new HealthService(
    OPTIONS,
    {
      ...{ checks: [() => found.fault, () => undefined], logger },
      show: (line) => void shown.push(line),
    },
    { elapsed: clock.now, every: clock.every },
  );
  const states: string[] = [];
  const end = health.subscribe(({ state }) => states.push(state));
  const stop = new AbortController();
  const over = health.run(stop.signal);
  const pass = async (seconds: number) => {
    for (let k = 0; k < seconds; k++) await clock.pass(1000);
  };
  return { clock, health, logger, found, shown, states, end, stop, over, pass };
}

Deno.test("a service manager is shown the health from the first moment on, and each other reason once", async () => {
  const { health, found, shown, stop, over, pass } = rig();
  const begun = ["starting: nothing was looked at yet"];
  assert.deepEqual(shown.splice(0, 1), begun);
  const good = "starting: all is well, 1 of 2 times";
  assert.deepEqual(shown.splice(0), [good]);
  await pass(3);
  assert.deepEqual(shown.splice(0), ["fit"]);
  found.fault = { text: "tun0 is down", isCertain: true };
  await pass(2);
  assert.deepEqual(shown.splice(0), ["unfit: tun0 is down"]);
  found.fault = { text: "the disk is full", isCertain: true };
  await pass(2);
  assert.deepEqual(shown.splice(0), ["unfit: the disk is full"]);
  health.drain("drained by root");
  assert.deepEqual(shown, ["draining: drained by root; the disk is full"]);
  stop.abort();
  await over;
});

Deno.test("who listens to the health is told of each change, in the same turn, and the log too", async () => {
  const { health, logger, found, states, end, stop, over, pass } = rig();
  await pass(1);
  assert.deepEqual(states, ["fit"]);
  found.fault = { text: "tun0 is down", isCertain: true };
  await pass(1);
  assert.deepEqual(states, ["fit", "unfit"]);
  found.fault = undefined;
  health.drain("drained by root");
  assert.deepEqual(states, ["fit", "unfit", "draining"]);
  end();
  health.undrain();
  assert.equal(states.length, 3);
  assert.deepEqual(logger.lines, [
    "NOTICE: health: fit (starting before)",
    "NOTICE: health: unfit: tun0 is down (fit before)",
    "NOTICE: health: draining: drained by root; tun0 is down (unfit before)",
    "NOTICE: health: unfit: tun0 is down (draining before)",
  ]);
  stop.abort();
  await over;
});

Deno.test("a daemon that is about to end is drained at once, and for good", async () => {
  const { health, states, stop, over, pass } = rig();
  await pass(1);
  health.changed({ kind: "reloading" });
  health.changed({ kind: "ready" });
  assert.deepEqual(states, ["fit"]);
  health.changed({ kind: "draining" });
  health.undrain();
  assert.deepEqual(states, ["fit", "draining"]);
  assert.deepEqual(health.fitness.reasons, ["it is about to end"]);
  stop.abort();
  await over;
});

Deno.test("a thread of the plane that has not gone round since it was woken is a fault", () => {
  const rounds = [5, 7];
  let wakes = 0;
  const plane = { rounds: () => [...rounds], dropRetired: () => void wakes++ };
  let running: typeof plane | undefined;
  const check = planeCheck(() => running);
  assert.equal(check()?.isCertain, true, "there is none yet");
  running = plane;
  assert.equal(check(), undefined);
  assert.equal(wakes, 1);
  rounds[0] = 6;
  assert.deepEqual(check(), {
    text: "1 of 2 threads of the data plane do not go round",
  });
  assert.equal(wakes, 2);
  rounds[1] = 8;
  rounds[0] = 7;
  assert.equal(check(), undefined);
  running = undefined;
  assert.equal(check()?.isCertain, true, "it has ended");
});

Deno.test("a device that is down is a certain fault, and one that is elsewhere none", async () => {
  const device = { name: "tun0", isRunning: () => true };
  const check = deviceCheck(() => device);
  assert.equal(check(), undefined);
  device.isRunning = () => false;
  assert.deepEqual(check(), {
    text: "the device tun0 is down",
    isCertain: true,
  });
  device.isRunning = () => {
    throw new Error("it is gone");
  };
  assert.equal(check(), undefined);
  await settle();
});

Deno.test("options that a HUP changes count from the next look on", async () => {
  const { found, health, pass, states, stop, over } = rig();
  await pass(1);
  health.reload({ ...OPTIONS, healthFall: 1 });
  found.fault = { text: "it wobbles" };
  await pass(1);
  assert.deepEqual(states, ["fit", "unfit"]);
  stop.abort();
  await over;
});

Deno.test("a member that follows others is not in step before it has heard their tables, and tells so", () => {
  const link = {
    ...{ name: "b:2323", isRemote: true, downFor: undefined },
    ...{ isRefused: false, hasTable: false, mayState: true },
  };
  let links = [link];
  let now = 5000;
  const check = new ClusterCheck({
    links: () => links,
    hasConnections: () => false,
    elapsed: () => now,
  });
  assert.equal(check.isInStep, false);
  assert.match(check.look(OPTIONS)?.text ?? "", /the table of b:2323 was not/);
  now += 60_000;
  assert.notEqual(check.look(OPTIONS), undefined, "it has nothing else");
  links = [{ ...link, hasTable: true }];
  assert.equal(check.look(OPTIONS), undefined);
  assert.equal(check.isInStep, true);
});

Deno.test("who is out of step is so for certain, and waits for tables from the first look on", () => {
  const link = {
    ...{ isRemote: true, downFor: undefined },
    ...{ isRefused: false, hasTable: true, mayState: true },
  };
  let now = 5000;
  const check = new ClusterCheck({
    links: () => [
      { ...link, name: "b" },
      { ...link, name: "c", hasTable: false },
    ],
    hasConnections: () => true,
    elapsed: () => now,
  });
  assert.deepEqual(check.look(OPTIONS), {
    text: "the table of c was not heard yet",
    isCertain: true,
  });
  now += 9999;
  assert.notEqual(check.look(OPTIONS), undefined);
  now += 1;
  assert.equal(check.look(OPTIONS), undefined);
});

Deno.test("a clock that is wrong is a fault, and not at the first look", () => {
  const clock: { fault: string | undefined } = { fault: undefined };
  const check = clockCheck(() => clock.fault);
  assert.equal(check(), undefined);
  clock.fault = "the clock is an hour behind";
  assert.deepEqual(check(), { text: "the clock is an hour behind" });
});

Deno.test("what is looked at hears of options that a HUP changes", async () => {
  const clock = new ManualClock();
  const seen: (number | undefined)[] = [];
  const check = ({ healthSyncLinks }: HealthOptions) => {
    seen.push(healthSyncLinks);
    return undefined;
  };
  const health = new HealthService(
    OPTIONS,
    { checks: [check], logger: recordingLog(), show: () => {} },
    { elapsed: clock.now, every: clock.every },
  );
  const stop = new AbortController();
  const over = health.run(stop.signal);
  health.reload({ ...OPTIONS, healthSyncLinks: 2 });
  await clock.pass(1000);
  assert.deepEqual(seen, [undefined, 2]);
  stop.abort();
  await over;
});

Deno.test("root and the user of the daemon may drain it, and nobody else", () => {
  const clock = new ManualClock();
  const health = new HealthService(
    OPTIONS,
    { checks: [], logger: recordingLog(), show: () => {} },
    { elapsed: clock.now, every: clock.every },
  );
  const control = controlOf(health, { effectiveUser: () => 7 });
  assert.deepEqual([0, 7, 8].map((uid) => control.mayChange(uid)), [
    ...[true, true, false],
  ]);
  control.drain(7);
  assert.deepEqual(health.fitness.reasons, ["drained by user 7"]);
  control.undrain();
  control.drain(0);
  assert.deepEqual(health.fitness.reasons, ["drained by root"]);
});
