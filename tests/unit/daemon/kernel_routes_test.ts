import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type {
  DeviceRoutes,
  KernelRoute,
} from "../../../ffi/tuntap/device_routes.ts";
import { KernelRoutes } from "../../../src/daemon/kernel_routes.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { formatPrefix, parsePrefix } from "../../../src/net/prefix.ts";
import type { Route } from "../../../src/route/route.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

function route(text: string): Route {
  const prefix = parsePrefix(text);
  assert.ok(prefix);
  return { network: prefix.address, prefixLength: prefix.length, mux: 0 };
}

function textOf({ network, length, metric }: KernelRoute): string {
  const family = network.length === 4 ? 4 : 6;
  const prefix = { address: { family, bytes: network }, length } as const;
  return formatPrefix(prefix) + (metric > 0 ? ` ${metric}` : "");
}

/** The kernel's routes to one device. */
class Kernel {
  isBusy = false;
  isOdd = false;
  readonly ours = new Map<string, KernelRoute>();
  readonly others = new Set<string>();
  readonly calls: string[] = [];
  errno = 0;

  open(): DeviceRoutes {
    const table: Pick<DeviceRoutes, "list" | "add" | "remove"> & Disposable = {
      list: () => {
        if (this.isBusy) throw new SystemError("list", "netlink", Errno.EBUSY);
        return [...this.ours.values()];
      },
      add: (route) => {
        const text = textOf(route);
        this.calls.push(`+${text}`);
        if (this.isOdd) throw new Error("the answer is not understood");
        if (this.errno !== 0) {
          throw new SystemError("add", "netlink", this.errno);
        }
        if (this.others.has(text)) return false;
        this.ours.set(text, route);
        return true;
      },
      remove: (route) => {
        const text = textOf(route);
        this.calls.push(`-${text}`);
        return this.ours.delete(text);
      },
      [Symbol.dispose]: () => {},
    };
    return table as DeviceRoutes;
  }
}

function setUp(mayHoldPeers = false, metric = 0) {
  const kernel = new Kernel();
  const clock = new ManualClock();
  const logger = recordingLog();
  const routes: Route[] = [];
  const { delay, every, now } = clock;
  const service = new KernelRoutes({ metric, mayHoldPeers }, {
    ...{ delay, every, logger },
    limited: new RateLimitedLog(logger, { burst: 5, perSecond: 0.1 }, now),
    device: () => ({ name: "tun7", openRoutes: () => kernel.open() }),
    routes: () => routes,
  });
  const reload = (mayHoldPeers: boolean) =>
    service.reload({ kernelRoutes: { metric, mayHoldPeers } });
  return { kernel, clock, logger, routes, service, reload };
}

Deno.test("routes come and go with the networks, without their host bits, and all go at the end", async () => {
  const { kernel, clock, routes, service } = setUp(false, 7);
  routes.push(route("10.77.1.1/16"), route("fd77::9/64"));
  service.start();
  assert.deepEqual([...kernel.ours.keys()], ["10.77.0.0/16 7", "fd77::/64 7"]);
  routes[0] = route("10.78.0.0/16");
  for (let k = 0; k < 1000; k++) service.changed();
  await clock.pass(100);
  // The new one first.
  assert.deepEqual(kernel.calls.slice(2), [
    "+10.78.0.0/16 7",
    "-10.77.0.0/16 7",
  ]);
  service.close();
  assert.equal(kernel.ours.size, 0);
  service.changed();
  await clock.pass(100);
  assert.equal(kernel.ours.size, 0, "nothing comes after the end");
});

Deno.test("what a run before has left is taken over, or taken away", () => {
  const { kernel, routes, service } = setUp();
  for (const text of ["10.1.0.0/16", "10.2.0.0/16"]) {
    kernel.open().add({
      network: Uint8Array.from(
        text.split("/")[0]?.split(".").map(Number) ?? [],
      ),
      length: 16,
      metric: 0,
    });
  }
  kernel.calls.length = 0;
  routes.push(route("10.1.0.0/16"));
  service.start();
  assert.deepEqual(kernel.calls, ["-10.2.0.0/16"]);
});

Deno.test("what the kernel does not take is tried again, and told once", async () => {
  const { kernel, clock, logger, routes, service } = setUp();
  routes.push(route("10.1.0.0/16"), route("10.2.0.0/16"));
  kernel.others.add("10.2.0.0/16");
  kernel.errno = Errno.ENETDOWN;
  service.start();
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await clock.pass(10_000);
  kernel.errno = 0;
  await clock.pass(10_000);
  assert.deepEqual([...kernel.ours.keys()], ["10.1.0.0/16"]);
  const warnings = logger.lines.filter((line) => line.startsWith("WARNING"));
  const why = ["the device is down", "the device is down"];
  assert.deepEqual(
    warnings.map((line) => line.replace(/.*: /, "")),
    [...why, "there is a route of somebody else already"],
  );
  service.close();
  assert.ok(!kernel.calls.includes("-10.2.0.0/16"), "it is somebody else's");
  stop.abort();
  await running;
});

Deno.test("a default route needs a mark, whoever tells of it", () => {
  const without = setUp(false);
  without.routes.push(route("0.0.0.0/0"), route("::/0"));
  // Its halves come before it.
  without.routes.push(route("128.0.0.0/1"), route("8000::/1"));
  without.service.start();
  without.reload(false);
  assert.equal(without.kernel.ours.size, 0);
  assert.equal(without.logger.lines.length, 4, "each is told once");
  const marked = setUp(true);
  marked.routes.push(route("0.0.0.0/0"));
  marked.service.start();
  assert.deepEqual([...marked.kernel.ours.keys()], ["0.0.0.0/0"]);
  marked.reload(false);
  assert.equal(marked.kernel.ours.size, 0, "a HUP has taken the mark away");
  marked.reload(true);
  assert.equal(marked.kernel.ours.size, 1, "and given it back");
});

Deno.test("whoever tells of thousands of networks fills no log", () => {
  const { kernel, logger, routes, service } = setUp();
  kernel.errno = Errno.EINVAL;
  for (let k = 0; k < 2000; k++) {
    routes.push(route(`10.${k >> 8}.${k & 255}.0/24`));
  }
  service.start();
  assert.equal(logger.lines.length, 5);
});

Deno.test("routes that cannot be listed at a reload go at the end nevertheless", () => {
  const { kernel, routes, service, reload } = setUp();
  routes.push(route("10.1.0.0/16"));
  service.start();
  kernel.isBusy = true;
  assert.throws(() => reload(false), SystemError);
  service.close();
  assert.equal(kernel.ours.size, 0);
});

Deno.test("an answer of the kernel that nobody understands is told, and tried again", async () => {
  const { kernel, clock, logger, routes, service } = setUp();
  service.start();
  const stop = new AbortController();
  const running = service.run(stop.signal);
  kernel.isOdd = true;
  routes.push(route("10.1.0.0/16"));
  service.changed();
  await clock.pass(5000);
  assert.match(logger.lines[0] ?? "", /ERROR: .*routes: .* not understood/);
  kernel.isOdd = false;
  await clock.pass(2000);
  assert.deepEqual([...kernel.ours.keys()], ["10.1.0.0/16"]);
  stop.abort();
  await running;
});
