import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import type { KernelRoute } from "../../../ffi/tuntap/device_routes.ts";
import {
  KernelTable,
  routeText,
  type Verdict,
} from "../../../src/daemon/kernel_table.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { FakeKernel, prefixOf } from "../../fakes/kernel_routes_rig.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

function kernelRoute(text: string, metric = 0): KernelRoute {
  const { address: { bytes: network }, length } = prefixOf(text);
  return { network, length, metric };
}

function setUp() {
  const kernel = new FakeKernel();
  const logger = recordingLog();
  const limits = { burst: 50, perSecond: 1 };
  const limited = new RateLimitedLog(logger, limits, () => 0);
  const table = new KernelTable(kernel.open(), { logger, limited });
  const verdicts = new Map<string, Verdict>();
  const want = (...texts: readonly string[]) => {
    for (const text of texts) verdicts.set(text, kernelRoute(text));
  };
  const change = () =>
    table.change([...verdicts.keys()], (text) => verdicts.get(text));
  const there = () => [...table.texts()];
  return { ...{ kernel, logger, table, verdicts }, ...{ want, change, there } };
}

Deno.test("a route is told by its network, and by its metric where that is not the kernel's own", () => {
  assert.deepEqual(
    [
      kernelRoute("10.1.0.0/16"),
      kernelRoute("10.1.0.0/16", 1024),
      kernelRoute("fd77::/64", 1024),
      kernelRoute("fd77::/64", 7),
    ].map(routeText),
    [
      "10.1.0.0/16",
      "10.1.0.0/16 metric 1024",
      "fd77::/64",
      "fd77::/64 metric 7",
    ],
  );
});

Deno.test("what the kernel does not take, and what it does not give up, is handed back", () => {
  const { kernel, verdicts, want, change, there } = setUp();
  want("10.1.0.0/16", "10.2.0.0/16");
  kernel.others.add("10.2.0.0/16");
  assert.deepEqual(change(), ["10.2.0.0/16"]);
  kernel.errno = Errno.EPERM;
  kernel.stuck.add("10.1.0.0/16");
  verdicts.set("10.1.0.0/16", undefined);
  want("10.3.0.0/16");
  assert.deepEqual(change(), ["10.2.0.0/16", "10.3.0.0/16", "10.1.0.0/16"]);
  assert.deepEqual(there(), ["10.1.0.0/16"]);
  kernel.errno = 0;
  kernel.stuck.clear();
  assert.deepEqual(change(), ["10.2.0.0/16"]);
  assert.deepEqual(there(), ["10.3.0.0/16"]);
});

Deno.test("why a route must not be is said once, and again when somebody tells of it anew", () => {
  const { kernel, logger, table, verdicts, change } = setUp();
  const refuse = () => verdicts.set("10.1.0.0/16", "it is not accepted");
  const said = () => logger.lines.length;
  refuse();
  assert.deepEqual(change(), [], "to try again does not help");
  change();
  assert.equal(said(), 1);
  assert.match(
    logger.lines[0] ?? "",
    /10\.1\.0\.0\/16 .*: it is not accepted$/,
  );
  verdicts.set("10.1.0.0/16", undefined);
  change();
  refuse();
  change();
  assert.equal(said(), 2, "nobody told of it meanwhile");
  table.forgetOthers(new Set(["10.1.0.0/16"]));
  change();
  assert.equal(said(), 2);
  table.forgetOthers(new Set());
  change();
  assert.equal(said(), 3);
  assert.deepEqual(kernel.calls, []);
});

Deno.test("where the kernel lists nothing, what is known to be there stays known", () => {
  const { kernel, table, want, change, there } = setUp();
  want("10.1.0.0/16");
  change();
  kernel.isBusy = true;
  assert.throws(() => table.look(), { code: "EBUSY" });
  assert.deepEqual(there(), ["10.1.0.0/16"]);
  kernel.isBusy = false;
  kernel.ours.clear();
  table.look();
  assert.deepEqual(there(), []);
});

Deno.test("at the end a route that does not go is told, and the others go", () => {
  const { kernel, logger, table, want, change } = setUp();
  want("10.1.0.0/16", "10.2.0.0/16", "fd77::/64");
  change();
  logger.lines.length = 0;
  kernel.stuck.add("10.1.0.0/16");
  table.close();
  assert.deepEqual([...kernel.ours.keys()], ["10.1.0.0/16"]);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0] ?? "", /ERROR: .* 10\.1\.0\.0\/16 out again: /);
  assert.ok(kernel.isClosed);
});
