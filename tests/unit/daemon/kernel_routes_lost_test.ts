import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { KernelRoutesRig, route } from "../../fakes/kernel_routes_rig.ts";

/** Routes of both families, which are there, and tried from time to time. */
function running(families: readonly string[]) {
  const rig = new KernelRoutesRig();
  for (const text of families) rig.routes.push(route(text));
  rig.service.start();
  const stop = new AbortController();
  const ended = rig.service.run(stop.signal);
  return {
    ...{ ...rig, there: () => [...rig.kernel.ours.keys()].toSorted() },
    /** Of so many looks, and what comes of the last. */
    look: async (times = 1) => {
      for (let k = 0; k < times; k++) await rig.clock.pass(2000);
      await rig.clock.pass(20);
    },
    end: async () => {
      stop.abort();
      await ended;
    },
  };
}

const BOTH = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "fd77::/64"];

Deno.test("routes that the kernel has dropped come back, those of one family as well", async () => {
  const { kernel, logger, there, look, end } = running([...BOTH, "fd78::/64"]);
  const all = there();
  // The device was down for a moment; then it lost its last address of IPv4.
  for (const family of [/./, /^10/, /:/]) {
    for (const text of all) if (family.test(text)) kernel.ours.delete(text);
    await look();
    assert.deepEqual(there(), all, String(family));
  }
  assert.match(logger.lines.join("\n"), /WARNING: .* were lost/);
  await end();
});

Deno.test("a device that is set down is told of once, has no route, and gets all when it is up", async () => {
  const { kernel, logger, service, there, look, end } = running(BOTH);
  logger.lines.length = 0;
  kernel.ours.clear();
  kernel.errno = Errno.ENETDOWN;
  await look(5);
  assert.deepEqual(service.report(), ["kernel routes: none"]);
  const lines = logger.lines.filter((line) => line.includes("is down"));
  assert.equal(lines.length, BOTH.length, "each route once");
  assert.equal(
    logger.lines.filter((line) => line.includes("were lost")).length,
    1,
  );
  kernel.errno = 0;
  await look();
  assert.deepEqual(there(), BOTH);
  await end();
});

Deno.test("while IPv6 is disabled on the device its routes are not listed as there", async () => {
  const { kernel, service, there, look, end } = running(["fd77::/64"]);
  kernel.ours.clear();
  kernel.errno = Errno.EACCES;
  await look();
  assert.deepEqual(service.report(), ["kernel routes: none"]);
  kernel.errno = 0;
  await look();
  assert.deepEqual(there(), ["fd77::/64"]);
  await end();
});

Deno.test("a loss that is seen right before the end is looked into no more", async () => {
  const { kernel, clock, logger, service, end } = running(BOTH);
  kernel.ours.clear();
  await clock.pass(2000);
  service.close();
  await clock.pass(5000);
  assert.equal(kernel.ours.size, 0);
  assert.doesNotMatch(logger.lines.join("\n"), /were lost/);
  await end();
});

Deno.test("one route that somebody took out comes back when it is its turn", async () => {
  const { kernel, there, look, end } = running(BOTH);
  kernel.ours.delete("10.2.0.0/16");
  await look(3);
  assert.deepEqual(there(), BOTH);
  await end();
});

Deno.test("a look at routes that are there tries two of them, and no refusal counts as a loss", async () => {
  const { kernel, asked, look, end } = running(BOTH);
  const before = { ...asked };
  kernel.calls.length = 0;
  await look();
  assert.deepEqual(kernel.calls, ["+10.1.0.0/16", "+fd77::/64"]);
  kernel.errno = Errno.EPERM;
  await look(3);
  assert.equal(kernel.calls.length, 8);
  assert.deepEqual(asked, before);
  await end();
});

Deno.test("what was lost and cannot be listed comes back later, and nothing of somebody else's goes", async () => {
  const { kernel, logger, service, there, look, end } = running(BOTH);
  kernel.ours.clear();
  kernel.others.add("10.3.0.0/16");
  kernel.isBusy = true;
  await look(2);
  assert.match(logger.lines.join("\n"), /ERROR: Cannot change kernel routes/);
  kernel.isBusy = false;
  await look();
  const ours = BOTH.filter((text) => text !== "10.3.0.0/16");
  assert.deepEqual(there(), ours);
  service.close();
  assert.ok(!kernel.calls.includes("-10.3.0.0/16"));
  await end();
});
