import assert from "node:assert/strict";
import { DataPlane } from "../../../src/daemon/data_plane.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { LiveSettings, MSS_AUTO } from "../../../src/tunnel/live_settings.ts";

Deno.test("another MSS is there for the threads at once when options are read again", () => {
  const live = new LiveSettings();
  const ends = {
    get builder(): never {
      throw new Error("nothing is opened");
    },
  };
  const plane = new DataPlane(ends, {
    table: new ConnectionTable(ConnectionTable.allocate()),
    ...{ live, routes: undefined, accepted: undefined, moved() {} },
  }, () => 0);
  assert.ok(plane.live.includes("mss"));
  const others = { dscp: "off", ecn: false } as const;
  plane.reload({ ...others, mss: "auto" });
  assert.equal(live.mssBound, MSS_AUTO);
  plane.reload({ ...others, mss: 1200 });
  assert.equal(live.mssBound, 1200);
  plane.reload({ ...others, mss: "off" });
  assert.equal(live.mssBound, 0);
});
