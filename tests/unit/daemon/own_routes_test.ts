import assert from "node:assert/strict";
import type { Route } from "../../../src/route/route.ts";
import { OwnRoutes } from "../../../src/daemon/own_routes.ts";
import { SyncState } from "../../../src/daemon/sync_state.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { parsePrefix, type Prefix } from "../../../src/net/prefix.ts";
import { MAX_PREFIXES, RouteTable } from "../../../src/route/table.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { routeRecord } from "../../samples/sync_records.ts";

const MUX = 3;

function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  assert.ok(found !== undefined);
  return found;
}

/** Options with these routes. */
function withRoutes(...prefixes: readonly string[]) {
  return withList(prefixes);
}

/** More than arguments can be. */
function withList(prefixes: readonly string[]) {
  return { mux: MUX, cluster: { routing: true, routes: prefixes.map(prefix) } };
}

function setUp(...prefixes: readonly string[]) {
  const clock = new ManualClock();
  const table = new ConnectionTable(ConnectionTable.allocate());
  const logger = recordingLog();
  const { delay, now: elapsed } = clock;
  const dropRetired = () => {};
  const state = new SyncState({
    ...{ table, delay, elapsed },
    routeTable: new RouteTable(RouteTable.allocate()),
    interfaceIndex: () => undefined,
    limited: new RateLimitedLog(logger, { burst: 1, perSecond: 1 }, clock.now),
    prepare() {},
    leaving: new LeavingKeys({ table, delay, dropRetired }),
  });
  const told: string[] = [];
  const takenBack: Route[] = [];
  const routes = new OwnRoutes(withRoutes(...prefixes), {
    ...{ state, logger },
    claim() {},
    tell: (route) =>
      void told.push(encodeRecord({ command: "route", ...route })),
    takeBack: (route) => void takenBack.push(route),
  });
  routes.start();
  return { routes, state, told, takenBack, logger };
}

function records(...routes: (readonly [string, number])[]): string[] {
  return routes.map(([text, mux]) => encodeRecord(routeRecord(text, mux)));
}

Deno.test("routes that come and go change the table, and members hear of new ones", () => {
  const { routes, state, told, takenBack, logger } = setUp(
    "10.0.0.0/8",
    "10.1.0.0/16",
  );
  routes.reload(withRoutes("10.1.0.0/16", "fd00::/8"));
  assert.deepEqual(
    state.snapshot(),
    records(["10.1.0.0/16", MUX], ["fd00::/8", MUX]),
  );
  assert.deepEqual(told, records(["fd00::/8", MUX]));
  assert.deepEqual(
    takenBack.map(({ mux, prefixLength }) => [mux, prefixLength]),
    [
      [MUX, 8],
    ],
  );
  assert.equal(
    logger.lines.at(0),
    "NOTICE: routes to connection 3: +fd00::/8 -10.0.0.0/8",
  );
});

Deno.test("a route that leads to another connection by now stays", () => {
  const { routes, state } = setUp("10.0.0.0/8");
  state.putRoute(routeRecord("10.0.0.0/8", 9));
  routes.reload(withRoutes());
  assert.deepEqual(state.snapshot(), records(["10.0.0.0/8", 9]));
});

Deno.test("routes that are the same are left alone, however they are written", () => {
  const { routes, state, told, logger } = setUp("10.0.0.0/8", "fd00::/8");
  // Another member has it now: to put it again would take it back.
  state.putRoute(routeRecord("10.0.0.0/8", 9));
  routes.reload(withRoutes("fd00:0::/8", "10.0.0.0/8", "fd00::/8"));
  assert.deepEqual(
    state.snapshot(),
    records(["10.0.0.0/8", 9], ["fd00::/8", MUX]),
  );
  assert.deepEqual([told, logger.lines], [[], []]);
});

Deno.test("too many routes are a fault before anything changes", () => {
  const { routes, state } = setUp("10.0.0.0/8");
  const many = Array.from(
    { length: MAX_PREFIXES + 1 },
    (_, k) => `${10 + (k >> 16)}.${(k >> 8) & 255}.${k & 255}.0/24`,
  );
  assert.throws(() => routes.check(withList(many)), {
    message: "Cannot add more routes (--route): there are too many",
  });
  assert.deepEqual(state.snapshot(), records(["10.0.0.0/8", MUX]));
});
