import { strict as assert } from "node:assert";
import { DrainWatch, untilEmpty } from "../../../src/status/drain_watch.ts";
import type { Report } from "../../../src/status/report.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { NOON, sampleReport } from "../../samples/report.ts";

/** Of a daemon that drains, so many seconds later. */
function report(
  seconds: number,
  received: number,
  sent: number,
  own: Partial<Report> = {},
): Report {
  return sampleReport({
    time: NOON + seconds * 1000,
    health: { state: "draining", reasons: ["as told"], since: NOON },
    totals: { packets_in_total: received, packets_out_total: sent },
    ...own,
  });
}

Deno.test("a daemon is empty once nothing has come or gone for two seconds", () => {
  const watch = new DrainWatch();
  const looks = [
    report(0, 10, 20),
    report(1, 15, 20),
    report(2, 15, 21),
    report(3, 15, 21),
    report(4, 15, 21),
  ].map((one) => watch.look(one));
  assert.deepEqual(looks.map(({ isEmpty }) => isEmpty), [
    ...[false, false, false, false, true],
  ]);
  assert.deepEqual(looks.map(({ text }) => text).slice(1), [
    "still carries: 5 packets a second from peers, and 0 to them",
    "still carries: 0 packets a second from peers, and 1 to them",
    "no packet for 1 s",
    "empty: no packet for 2 s",
  ]);
});

Deno.test("what comes in between has the two seconds begin anew", () => {
  const watch = new DrainWatch();
  const looks = [[0, 1], [1, 1], [2, 2], [3, 2], [4, 2]].map((
    [seconds = 0, received = 0],
  ) => watch.look(report(seconds, received, 0)).isEmpty);
  assert.deepEqual(looks, [false, false, false, false, true]);
});

Deno.test("a client that sends nothing but that it is there is still led here", () => {
  const watch = new DrainWatch();
  const looks = [0, 1, 2, 3].map((seconds) => {
    const totals = { packets_in_total: 5, no_payload_total: seconds };
    return watch.look(report(seconds, 0, 0, { totals }));
  });
  assert.equal(
    looks.at(-1)?.text,
    "still carries: 1 packets a second from peers, and 0 to them",
  );
});

Deno.test("another process begins to be watched anew", () => {
  const watch = new DrainWatch();
  watch.look(report(0, 10, 20));
  watch.look(report(1, 10, 20));
  const other = { pid: 78 };
  assert.equal(watch.look(report(2, 10, 20, other)).isEmpty, false);
  assert.equal(watch.look(report(3, 10, 20, other)).isEmpty, false);
  assert.equal(watch.look(report(4, 10, 20, other)).isEmpty, true);
});

Deno.test("what does not drain any more is not waited for", () => {
  const watch = new DrainWatch();
  const { health } = sampleReport();
  assert.throws(
    () => watch.look(report(0, 0, 0, { health })),
    { message: "it does not drain any more: fit" },
  );
});

Deno.test("the time to wait is one of a clock, however long a daemon takes for each answer", async () => {
  const clock = new ManualClock();
  let looks = 0;
  const waiting = untilEmpty(
    async () => {
      await clock.delay(9000);
      return report(9 * ++looks, 10 * looks, 0);
    },
    30,
    { delay: clock.delay, elapsed: clock.now },
  );
  await settle();
  let seconds = 0;
  let isOver = false;
  void waiting.then(() => isOver = true);
  for (; !isOver && seconds < 400; seconds++) await clock.pass(1000);
  assert.match((await waiting).text, /^still carries: /);
  assert.ok(seconds >= 30 && seconds <= 40, `${seconds} s`);
});

for (
  const [drainTime, expected] of [[null, 30], [10, 30], [120, 120]] as const
) {
  Deno.test(`without a time to wait it is ${expected} s for a --drain-time of ${drainTime}`, async () => {
    const clock = new ManualClock();
    const announcement = drainTime === null ? null : {
      ...{ addresses: [], device: null, drainTime },
      ...{ isAnnounced: false, isGuarded: true },
    };
    let looks = 0;
    const waiting = untilEmpty(
      () => Promise.resolve(report(++looks, 10 * looks, 0, { announcement })),
      undefined,
      { delay: clock.delay, elapsed: clock.now },
    );
    let isOver = false;
    void waiting.then(() => isOver = true);
    await settle();
    let seconds = 0;
    for (; !isOver && seconds < 400; seconds++) await clock.pass(1000);
    assert.equal(seconds, expected);
  });
}
