import assert from "node:assert/strict";
import { monotonicMicroseconds, SteadyClock } from "../../../ffi/clock.ts";
import { libcTest } from "../../fakes/with_libc.ts";

libcTest(
  "a steady clock goes on from the time of day that it is given",
  (libc) => {
    const before = performance.now();
    const clock = new SteadyClock(libc, 2 ** 40);
    let last = clock.now();
    assert.ok(last >= 2 ** 40);
    while (clock.now() < 2 ** 40 + 5) {
      const now = clock.now();
      assert.ok(now >= last, "it goes back");
      last = now;
    }
    assert.ok(performance.now() - before >= 5, "it is too fast");
  },
);

libcTest("monotonicMicroseconds() is the clock of /proc/uptime", (libc) => {
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  const seconds = monotonicMicroseconds(libc) / 1e6;
  assert.ok(seconds <= uptime + 60, `${seconds} s, ${uptime} s`);
  assert.ok(monotonicMicroseconds(libc) / 1e6 >= seconds);
});
