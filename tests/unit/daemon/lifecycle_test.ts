import assert from "node:assert/strict";
import { Lifecycle, type Service } from "../../../src/daemon/lifecycle.ts";
import {
  fakeListener,
  fakeService,
  untilAborted,
} from "../../fakes/services.ts";
import { settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** A lifecycle of services that are made with a common list of notes. */
function setUp(make: (notes: string[]) => readonly Service[]) {
  const notes: string[] = [];
  const logger = recordingLog();
  const inForce = { renew: () => Promise.resolve("options") };
  const lifecycle = new Lifecycle(logger, inForce);
  const run = () => lifecycle.run(make(notes), [fakeListener(notes)]);
  return { lifecycle, notes, logger, run };
}

const two = (notes: string[]) => [
  fakeService("a", notes),
  fakeService("b", notes),
];

const NEVER = () => new Promise<never>(() => {});

Deno.test("services start in order, and run when all have started", async () => {
  const { lifecycle, notes, run } = setUp(two);
  const running = run();
  await settle();
  assert.deepEqual(notes, [
    ...["- starting a", "start a", "- starting b", "start b"],
    ...["- ready", "run a", "run b"],
  ]);
  lifecycle.stop();
  await running;
});

Deno.test("a start that takes its time is waited for, and says so", async () => {
  const done = Promise.withResolvers<void>();
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, {
      async start({ waiting }) {
        waiting("an address");
        await done.promise;
      },
    }),
    fakeService("b", notes),
  ]);
  const running = run();
  await settle();
  assert.deepEqual(notes, ["- starting a", "- starting an address"]);
  done.resolve();
  await settle();
  assert.equal(notes.includes("- ready"), true);
  lifecycle.stop();
  await running;
});

Deno.test("services stop in reverse order, each after the one before has ended", async () => {
  const { lifecycle, notes, run } = setUp(two);
  const running = run();
  await settle();
  notes.length = 0;
  lifecycle.stop();
  await running;
  assert.deepEqual(notes, [
    ...["- draining", "- stopping"],
    ...["end b", "close b", "end a", "close a"],
  ]);
});

Deno.test("a service that is done does not end the others", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { run: () => Promise.resolve() }),
    fakeService("b", notes),
  ]);
  const running = run();
  await settle();
  assert.equal(notes.includes("- stopping"), false);
  lifecycle.stop();
  await running;
});

Deno.test("when all services are done the run is over", async () => {
  const { notes, run } = setUp((notes) => [
    fakeService("a", notes, { run: () => Promise.resolve() }),
  ]);
  await run();
  assert.deepEqual(notes.slice(-2), ["- stopping", "close a"]);
});

Deno.test("a service that fails stops the others, and its error is the first one's", async () => {
  const broken = Promise.withResolvers<void>();
  const { notes, run } = setUp((notes) => [
    fakeService("a", notes, {
      async run(stop) {
        await untilAborted(stop);
        throw new Error("later");
      },
    }),
    fakeService("b", notes, { run: () => broken.promise }),
    fakeService("c", notes),
  ]);
  const running = run();
  await settle();
  notes.length = 0;
  broken.reject(new Error("broken"));
  await assert.rejects(running, { message: "broken" });
  assert.deepEqual(notes, [
    ...["- draining", "- stopping"],
    ...["end c", "close c", "close b", "close a"],
    "- failed: broken",
  ]);
});

Deno.test("a start that fails closes what has started, and itself", async () => {
  const { notes, run } = setUp((notes) => [
    fakeService("a", notes),
    fakeService("b", notes, {
      start: () => Promise.reject(new Error("no device")),
    }),
    fakeService("c", notes),
  ]);
  await assert.rejects(run(), { message: "no device" });
  assert.deepEqual(notes, [
    ...["- starting a", "start a", "- starting b"],
    ...["- draining", "- stopping", "close b", "close a"],
    "- failed: no device",
  ]);
});

Deno.test("what has started and fails early ends the start of the next one", async () => {
  const broken = Promise.withResolvers<never>();
  const { notes, run } = setUp((notes) => [
    fakeService("plane", notes, {
      start: ({ fail }) => void broken.promise.catch(fail),
    }),
    fakeService("script", notes, { start: ({ stop }) => untilAborted(stop) }),
    fakeService("c", notes),
  ]);
  const running = run();
  await settle();
  broken.reject(new Error("gone"));
  await assert.rejects(running, { message: "gone" });
  assert.equal(notes.some((note) => /ready|run| c$/.test(note)), false);
  assert.deepEqual(notes.slice(-3), [
    "close script",
    "close plane",
    "- failed: gone",
  ]);
});

Deno.test("a stop during the start is no failure, and nothing is run", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { start: ({ stop }) => untilAborted(stop) }),
    fakeService("b", notes),
  ]);
  const running = run();
  lifecycle.stop();
  await running;
  assert.deepEqual(notes, [
    ...["- starting a", "- draining", "- stopping", "close a"],
  ]);
});

Deno.test("a stop before the start has nothing started", async () => {
  const { lifecycle, notes, run } = setUp(two);
  lifecycle.stop();
  await run();
  assert.deepEqual(notes, ["- draining", "- stopping"]);
});

Deno.test("a second stop waits for nobody, but closes everything", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes),
    fakeService("b", notes, { run: NEVER }),
    fakeService("c", notes, { close: NEVER }),
  ]);
  const running = run();
  await settle();
  lifecycle.stop();
  await settle();
  assert.equal(notes.at(-1), "end c");
  lifecycle.stop();
  await running;
  assert.deepEqual(notes.slice(-2), ["close b", "close a"]);
});

Deno.test("a second stop does not wait for a start that does not end", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { start: NEVER }),
  ]);
  const running = run();
  lifecycle.stop();
  await settle();
  assert.equal(notes.at(-1), "- starting a");
  lifecycle.stop();
  await running;
  assert.equal(notes.at(-1), "close a");
});

Deno.test("services reload in order, and one that cannot is a line in the log", async () => {
  const { lifecycle, notes, logger, run } = setUp((notes) => [
    fakeService("a", notes, {
      reload: () => Promise.reject(new Error("no file")),
    }),
    fakeService("b", notes, {
      async reload() {
        await Promise.resolve();
        notes.push("reload b");
      },
    }),
    fakeService("c", notes),
  ]);
  const running = run();
  await settle();
  notes.length = 0;
  await lifecycle.reload();
  assert.deepEqual(notes, [
    "- reloading",
    ...["reload b", "reload c"],
    "- ready",
  ]);
  assert.deepEqual(logger.lines, ["ERROR: Cannot reload the a: no file"]);
  lifecycle.stop();
  await running;
});

Deno.test("reloads that are asked for during one become one, afterwards", async () => {
  const lookups: PromiseWithResolvers<void>[] = [];
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, {
      reload() {
        notes.push("reload a");
        const lookup = Promise.withResolvers<void>();
        lookups.push(lookup);
        return lookup.promise;
      },
    }),
  ]);
  const running = run();
  await settle();
  const all = [lifecycle.reload()];
  await settle();
  all.push(lifecycle.reload(), lifecycle.reload(), lifecycle.reload());
  lookups[0]?.resolve();
  await settle();
  lookups[1]?.resolve();
  await Promise.all(all);
  assert.equal(notes.filter((note) => note === "reload a").length, 2);
  lifecycle.stop();
  await running;
});

Deno.test("a reload that the stop overtakes does not say that all is ready", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { reload: NEVER }),
    fakeService("b", notes),
  ]);
  const running = run();
  await settle();
  void lifecycle.reload();
  await settle();
  notes.length = 0;
  lifecycle.stop();
  await running;
  assert.deepEqual(notes.filter((note) => /ready|reload/.test(note)), []);
});

Deno.test("a reload during the start waits until all have started, and comes then", async () => {
  const done = Promise.withResolvers<void>();
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { start: () => done.promise }),
    fakeService("b", notes),
  ]);
  const before = lifecycle.reload();
  const running = run();
  await settle();
  const during = lifecycle.reload();
  await settle();
  assert.deepEqual(notes, ["- starting a"]);
  done.resolve();
  await Promise.all([before, during]);
  assert.deepEqual(notes.slice(1), [
    ...["- starting b", "start b", "- ready", "run a", "run b"],
    ...["- reloading", "reload a", "reload b", "- ready"],
  ]);
  lifecycle.stop();
  await running;
});

Deno.test("a stop during the start is not held up by a reload, of which nothing comes", async () => {
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { start: ({ stop }) => untilAborted(stop) }),
  ]);
  const running = run();
  const reloading = lifecycle.reload();
  await settle();
  lifecycle.stop();
  await Promise.all([running, reloading]);
  assert.deepEqual(notes, [
    ...["- starting a", "- draining", "- stopping", "close a"],
  ]);
});

Deno.test("a reload waits for no start that has failed", async () => {
  const broken = Promise.withResolvers<void>();
  const { lifecycle, notes, run } = setUp((notes) => [
    fakeService("a", notes, { start: () => broken.promise }),
  ]);
  const running = run();
  const reloading = lifecycle.reload();
  broken.reject(new Error("no device"));
  await assert.rejects(running, { message: "no device" });
  await reloading;
  assert.equal(notes.some((note) => /reload/.test(note)), false);
});

Deno.test("the report is made of the lines of all services", async () => {
  const { lifecycle, logger, run } = setUp(two);
  const running = run();
  await settle();
  lifecycle.report();
  assert.deepEqual(logger.lines, ["NOTICE: a is fine", "NOTICE: b is fine"]);
  lifecycle.stop();
  await running;
});

Deno.test("a service that hangs is named, others are taken for alive", async () => {
  let isAlive = true;
  const { lifecycle, run } = setUp((notes) => [
    fakeService("a", notes),
    fakeService("b", notes, { isAlive: () => isAlive }),
  ]);
  const running = run();
  await settle();
  assert.equal(lifecycle.hanging(), undefined);
  isAlive = false;
  assert.equal(lifecycle.hanging(), "b");
  lifecycle.stop();
  await running;
});

Deno.test("nothing is reloaded any more once a stop has come", async () => {
  const notes: string[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const inForce = { renew: () => promise };
  const lifecycle = new Lifecycle(recordingLog(), inForce);
  const running = lifecycle.run(two(notes), [fakeListener(notes)]);
  await settle();
  const reloading = lifecycle.reload();
  await settle();
  lifecycle.stop();
  resolve(undefined);
  await Promise.all([running, reloading]);
  assert.deepEqual(notes.filter((note) => /reload [ab]/.test(note)), []);
});
