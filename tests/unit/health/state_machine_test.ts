import { strict as assert } from "node:assert";
import {
  type Fault,
  HealthMachine,
} from "../../../src/health/state_machine.ts";

const SETTINGS = { rise: 3, fall: 2, hold: 5000 };
const LOOK_MS = 1000;

const BAD: readonly Fault[] = [{ text: "it wobbles" }];
const DEAD: readonly Fault[] = [{ text: "it is gone", isCertain: true }];

function rig(settings = SETTINGS) {
  const clock = { now: 0 };
  const machine = new HealthMachine(settings, () => clock.now, LOOK_MS);
  /** Looks once a second. */
  const look = (...found: readonly (readonly Fault[])[]) =>
    found.map((faults) => {
      clock.now += LOOK_MS;
      machine.look(faults);
      return machine.fitness.state;
    });
  const well = (times: number) =>
    look(...Array.from({ length: times }, () => []));
  return { clock, machine, look, well };
}

Deno.test("a daemon that starts is fit once all was well as often as it has to be", () => {
  const { machine, look, well } = rig();
  assert.equal(machine.fitness.state, "starting");
  assert.deepEqual(well(2), ["starting", "starting"]);
  assert.deepEqual(look(BAD), ["starting"]);
  assert.deepEqual(machine.fitness.reasons, ["it wobbles"]);
  assert.deepEqual(well(3), ["starting", "starting", "fit"]);
  assert.deepEqual(machine.fitness, { state: "fit", reasons: [], since: 6000 });
});

Deno.test("one bad look is no fall, and so many in a row are", () => {
  const { machine, look, well } = rig();
  well(3);
  assert.deepEqual(look(BAD, [], BAD, []), ["fit", "fit", "fit", "fit"]);
  assert.deepEqual(look(BAD, BAD), ["fit", "unfit"]);
  assert.deepEqual(machine.fitness.reasons, ["it wobbles"]);
});

Deno.test("what is certain needs no second look", () => {
  const { look, well } = rig();
  well(3);
  assert.deepEqual(look(DEAD), ["unfit"]);
});

Deno.test("who was unfit comes back after a time in which all was well", () => {
  const { machine, look, well } = rig();
  well(3);
  look(DEAD);
  assert.deepEqual(well(5), Array(5).fill("unfit"));
  assert.deepEqual(machine.fitness.reasons, [
    "all is well, 3 of 3 times and for 4 of 5 s, after: it is gone",
  ]);
  assert.deepEqual(well(1), ["fit"]);
});

Deno.test("what flaps stays away for as long as it does", () => {
  const { look, well } = rig();
  well(3);
  look(DEAD);
  for (let k = 0; k < 50; k++) {
    assert.deepEqual(well(5), Array(5).fill("unfit"));
    assert.deepEqual(look(BAD), ["unfit"]);
  }
});

Deno.test("a hold time that is shorter than the looks it takes leaves those", () => {
  const { look, well } = rig({ ...SETTINGS, hold: 0 });
  well(3);
  look(DEAD);
  assert.deepEqual(well(3), ["unfit", "unfit", "fit"]);
});

Deno.test("looks that were missed are bad ones, as those of a process that was stopped", () => {
  const { clock, machine, well } = rig();
  well(3);
  clock.now += 1000;
  assert.deepEqual(well(1), ["fit"], "one that is late");
  clock.now += 2000;
  assert.deepEqual(well(1), ["unfit"]);
  assert.equal(machine.fitness.since, clock.now);
  assert.deepEqual(machine.fitness.reasons, [
    "nothing was looked at for 3 s",
  ]);
  assert.deepEqual(well(6), [...Array(5).fill("unfit"), "fit"]);
});

Deno.test("who asks after missed looks, and before the next one, is told of them", () => {
  const { clock, machine, well } = rig();
  clock.now += 5000;
  assert.equal(machine.fitness.state, "starting");
  well(3);
  clock.now += 2000;
  assert.equal(machine.fitness.state, "fit");
  clock.now += 1000;
  const told = machine.fitness;
  assert.deepEqual(told, {
    state: "unfit",
    reasons: ["nothing was looked at for 3 s"],
    since: clock.now,
  });
  machine.look([]);
  assert.deepEqual(machine.fitness, told);
});

Deno.test("who is drained is judged on, and comes back as what it is", () => {
  const { machine, look, well } = rig();
  well(3);
  machine.drain("as told");
  machine.drain("as told again");
  assert.deepEqual(look([]), ["draining"]);
  assert.deepEqual(machine.fitness.reasons, ["as told"]);
  assert.equal(machine.fitness.since, 3000);
  machine.undrain();
  assert.equal(machine.fitness.state, "fit");
  machine.drain("as told");
  assert.deepEqual(look(DEAD), ["draining"]);
  assert.deepEqual(machine.fitness.reasons, ["as told", "it is gone"]);
  machine.undrain();
  assert.equal(machine.fitness.state, "unfit");
});

Deno.test("who is drained while it starts goes on with its start", () => {
  const { machine, well } = rig();
  machine.drain("as told");
  assert.deepEqual(well(2), ["draining", "draining"]);
  machine.undrain();
  assert.equal(machine.fitness.state, "starting");
  assert.deepEqual(well(1), ["fit"]);
});

Deno.test("other settings count from the next look on", () => {
  const { machine, look, well } = rig();
  well(3);
  machine.settings = { ...SETTINGS, fall: 1 };
  assert.deepEqual(look(BAD), ["unfit"]);
});
