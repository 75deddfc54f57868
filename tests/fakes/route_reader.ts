/// <reference lib="deno.worker" />
/** Looks one destination up, again and again, while the table changes. */

import { RouteTable } from "../../src/route/table.ts";
import { type ReaderOrder, ReaderPlace } from "./route_order.ts";

self.onmessage = ({ data: order }: MessageEvent<ReaderOrder>) => {
  const table = new RouteTable(order.table);
  const places = new Int32Array(order.places);
  let last = -1;
  while (Atomics.load(places, ReaderPlace.STOP) === 0) {
    const mux = table.lookupIpv4(order.destination, 0);
    if (!order.muxes.includes(mux)) Atomics.add(places, ReaderPlace.WRONG, 1);
    if (mux !== last) Atomics.add(places, ReaderPlace.CHANGES, 1);
    last = mux;
  }
};
