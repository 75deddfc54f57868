import assert from "node:assert/strict";
import { counterLines } from "../../../src/daemon/counters_text.ts";

Deno.test("counters of all connections and of the plane are named in the log, each once", () => {
  const counters = Float64Array.from({ length: 19 }, (_, index) => index + 101);
  const muxes = [5, 7, 65535];
  const table = { liveMuxes: () => muxes, counters: { sum: () => counters } };
  const lines = [...counterLines(table, counters)];
  const fields = lines[0]?.fields;
  assert.equal(fields?.mux, 5);
  assert.ok(typeof fields.counters === "object");
  assert.equal(fields.counters.packets_out_total, 101);
  assert.deepEqual(lines.map(({ text }) => text), [
    ...muxes.map((mux) =>
      `connection ${mux}: 101 packets out, 102 bytes out, 104 packets in, ` +
      "105 bytes in, 103 not sent, 110 dropped before a full uplink, " +
      "106 with a wrong tag, 107 replayed, 108 without payload, " +
      "109 of a wrong type, 111 from a source that is not routed to it, " +
      "112 keep-alives out, 113 dropped for congestion on the way"
    ),
    "dropped: 101 with nowhere to send them, 102 too long to send, " +
    "103 malformed on the device, 104 too short, 105 too long, " +
    "106 of an unknown mux, 107 refused by the device, " +
    "108 lost to internal errors, 109 for want of sequence numbers, " +
    "110 joined behind those for another worker, " +
    "111 windows of silent senders, 112 silent senders altogether, " +
    "113 joined with one that has a wrong tag, " +
    "117 that came to a full socket, 118 for a full device",
    "besides: 114 with an MSS that was lowered, " +
    "115 answered with how long they may be, " +
    "116 times less that a path takes, 119 long waits for a connection",
  ]);
  assert.equal([...counterLines(table, undefined)].length, 3);
});
