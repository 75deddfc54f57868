import { strict as assert } from "node:assert";
import { Routes } from "../../src/route/routes.ts";
import { NO_MUX } from "../../src/route/ranges.ts";
import { RouteTable } from "../../src/route/table.ts";
import { ipAddress, routeOf } from "../samples/routes.ts";
import { loadVectors } from "./vectors.ts";

interface RoutingVectors {
  readonly cases: readonly {
    readonly description: string;
    readonly routes_in_order: readonly {
      readonly prefix: string;
      readonly mux: number;
    }[];
    readonly lookups: readonly {
      readonly destination: string;
      readonly longest_prefix_mux: number | null;
    }[];
  }[];
}

/** The connections that can send; 6 has no endpoint, 99 does not exist. */
const USABLE = new Set([1, 2, 3, 4, 5]);

const { cases } = loadVectors<RoutingVectors>("routing.json");

for (const { description, routes_in_order, lookups } of cases) {
  Deno.test(`packets take the longest prefix: ${description}`, () => {
    const routes = new Routes();
    for (const { prefix, mux } of routes_in_order) {
      routes.put(routeOf(prefix, mux));
    }
    const table = new RouteTable(RouteTable.allocate());
    routes.publish(table);
    for (const { destination, longest_prefix_mux } of lookups) {
      const { family, bytes } = ipAddress(destination);
      const mux = family === 4
        ? table.lookupIpv4(bytes, 0)
        : table.lookupIpv6(bytes, 0);
      const sent = mux !== NO_MUX && USABLE.has(mux) ? mux : null;
      assert.equal(sent, longest_prefix_mux, destination);
    }
  });
}
