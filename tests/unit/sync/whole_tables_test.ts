import { strict as assert } from "node:assert";
import { WholeTables } from "../../../src/sync/whole_tables.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const MINUTE = 60_000;

/** Links to a, b, c and d, of which c is to an original. */
function setUp() {
  const clock = { now: 0 };
  const asked: string[] = [];
  const clients = ["a", "b", "c", "d"].map((name) => {
    const link = {
      downFor: undefined as number | undefined,
      ...{ isRefused: false, hasTable: true },
    };
    const askForAll = () => void asked.push(name);
    return { name, link, askForAll, isExtended: name !== "c" };
  });
  const tables = new WholeTables(clients, recordingLog(), () => clock.now);
  const [first] = clients;
  assert.ok(first);
  return { clock, asked, tables, first };
}

Deno.test("nobody is asked for all while all are heard, or were a minute ago", () => {
  const { asked, first, tables } = setUp();
  tables.look();
  first.link.downFor = MINUTE - 1;
  tables.look();
  assert.deepEqual(asked, []);
});

Deno.test("while a server is away the others of ours are asked in turn, one each five minutes", () => {
  const { asked, clock, first, tables } = setUp();
  first.isExtended = false;
  for (let k = 0; k < 32; k++) {
    first.link.downFor = MINUTE + clock.now;
    tables.look();
    clock.now += MINUTE / 2;
  }
  assert.deepEqual(asked, ["b", "d", "b", "d"]);
});
