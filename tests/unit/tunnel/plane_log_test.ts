import assert from "node:assert/strict";
import { Connection } from "../../../src/tunnel/connection.ts";
import { PlaneLog } from "../../../src/tunnel/plane_log.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

Deno.test("a connection with a key chain has numbers again in the next epoch, and is told so", () => {
  const logger = recordingLog();
  const log = new PlaneLog(logger, () => 0, { chained: 3 });
  for (const mux of [3, 4]) {
    const connection = new Connection(mux, new Float64Array(8));
    log.numbersLow(connection, 7);
    log.numbersSpent(connection, 7);
  }
  const [low, spent, ...others] = logger.lines;
  for (const line of [low, spent]) {
    assert.match(String(line), /connection 3 .*, until the next epoch of its/);
  }
  for (const line of others) {
    assert.match(line, /connection 4 .*: give both ends new keys, or start/);
  }
  assert.equal(others.length, 2);
});
