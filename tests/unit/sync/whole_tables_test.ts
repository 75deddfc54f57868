import { strict as assert } from "node:assert";
import { WholeTables } from "../../../src/sync/whole_tables.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const MINUTE = 60_000;

/**
 * Links to a, b, c and d, of which c is to an original.
 *
 * @param selves Those that lead to the member itself
 */
function setUp(selves: readonly string[] = []) {
  const clock = { now: 0 };
  const asked: string[] = [];
  const clients = ["a", "b", "c", "d"].map((name) => {
    const link = {
      downFor: undefined as number | undefined,
      ...{ isRefused: false, hasTable: true },
    };
    const askForAll = () => void asked.push(name);
    const isItself = selves.includes(name);
    return { name, link, askForAll, isExtended: name !== "c", isItself };
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

for (
  const [what, selves, expected] of [
    ["the others alone are asked", ["b"], ["d", "d"]],
    ["nobody is asked where there is no other", ["b", "d"], []],
  ] as const
) {
  Deno.test(`of those that are named, and are the member itself, ${what}`, () => {
    const { asked, clock, first, tables } = setUp(selves);
    first.isExtended = false;
    for (let k = 0; k < 2; k++) {
      first.link.downFor = MINUTE + clock.now;
      tables.look();
      clock.now += 5 * MINUTE;
    }
    assert.deepEqual(asked, expected);
  });
}
