import { strict as assert } from "node:assert";
import {
  type Link,
  stepFault,
  type StepSettings,
} from "../../../src/health/in_step.ts";

const SETTINGS: StepSettings = { age: 10_000, links: undefined };
const LONG = { elapsed: 3_600_000, hasConnections: () => true };

function link(name: string, own: Partial<Link> = {}): Link {
  return {
    ...{ name, isRemote: true, downFor: undefined },
    ...{ isRefused: false, hasTable: true, mayState: true },
    ...own,
  };
}

const UP = {};
const DOWN = { downFor: 12_000 };
const NEWLY_DOWN = { downFor: 9000 };
const REFUSED = { downFor: 12_000, isRefused: true };

/** Of servers that are called a, b, c. */
function faultOf(
  links: readonly Partial<Link>[],
  settings: Partial<StepSettings> = {},
) {
  const named = links.map((one, k) => link("abc"[k] ?? "?", one));
  return stepFault(named, { ...SETTINGS, ...settings }, LONG);
}

Deno.test("who follows nobody is in step", () => {
  assert.equal(faultOf([]), undefined);
});

Deno.test("a member that is cut off from all others is not in step, and one whose peer has died is", () => {
  assert.equal(faultOf([UP, UP]), undefined);
  assert.equal(faultOf([DOWN, UP]), undefined);
  assert.equal(faultOf([DOWN, NEWLY_DOWN]), undefined);
  assert.equal(faultOf([DOWN, DOWN]), "a, b are out of reach for 12 s");
});

Deno.test("a daemon that has ended on a host that answers is in reach", () => {
  assert.equal(faultOf([REFUSED, REFUSED]), undefined);
  assert.equal(faultOf([REFUSED, DOWN]), undefined);
});

Deno.test("who follows a single one cannot tell its end from the own, and stays", () => {
  assert.equal(faultOf([DOWN]), undefined);
  assert.equal(faultOf([DOWN], { links: 1 }), "a is out of reach for 12 s");
});

Deno.test("sockets of this host tell nothing of the others", () => {
  const local = { isRemote: false };
  assert.notEqual(faultOf([local, DOWN, DOWN]), undefined);
  assert.equal(faultOf([{ ...local, ...DOWN }, UP, DOWN]), undefined);
  assert.equal(faultOf([{ ...local, ...DOWN }, DOWN]), undefined, "one alone");
});

Deno.test("as many as are wanted have to be in reach, at most all", () => {
  assert.equal(faultOf([UP, DOWN, DOWN], { links: 1 }), undefined);
  assert.equal(
    faultOf([UP, DOWN, DOWN], { links: 2 }),
    "b, c are out of reach for 12 s",
  );
  assert.equal(faultOf([UP, UP, UP], { links: 9 }), undefined);
  assert.equal(
    faultOf([UP, UP, DOWN], { links: 9 }),
    "c is out of reach for 12 s",
  );
  assert.equal(faultOf([DOWN, DOWN, DOWN], { links: 0 }), undefined);
});

Deno.test("at the start each table is waited for, but not for ever", () => {
  const heard = link("a");
  const missing = link("b", { hasTable: false });
  const after = (elapsed: number, links: readonly Link[], hasOwn = false) =>
    stepFault(links, SETTINGS, { elapsed, hasConnections: () => hasOwn });
  assert.equal(
    after(9000, [heard, missing], true),
    "the table of b was not heard yet",
  );
  assert.equal(after(10_000, [heard, missing]), undefined);
  assert.equal(after(0, [heard]), undefined);
  // Who has nothing to carry by has to hear of it.
  assert.notEqual(after(3_600_000, [missing]), undefined);
  assert.equal(after(3_600_000, [missing], true), undefined);
});

Deno.test("the table of a member that only learns gives nothing to carry by, however long it is heard", () => {
  const learning = link("a", { mayState: false });
  const control = link("c", { hasTable: false });
  const late = { elapsed: 3_600_000, hasConnections: () => false };
  assert.equal(
    stepFault([learning, control], SETTINGS, late),
    "the table of c was not heard yet",
  );
  const heard = { ...control, hasTable: true };
  const other = link("b", { mayState: false, hasTable: false });
  assert.equal(stepFault([learning, other, heard], SETTINGS, late), undefined);
  const own = { ...late, hasConnections: () => true };
  assert.equal(stepFault([learning, control], SETTINGS, own), undefined);
});

Deno.test("a server that is left out, as one that says that it is this member, counts for no more than one that is heard, and no less than one that is lost", () => {
  const others: Partial<Link>[][] = [[]];
  for (const list of others) {
    if (list.length === 2) continue;
    for (const one of [UP, DOWN, REFUSED, { ...DOWN, hasTable: false }]) {
      others.push([...list, one]);
    }
  }
  for (const list of others) {
    for (const links of [undefined, 0, 1, 2, 3]) {
      const hasFault = (...more: Partial<Link>[]) =>
        faultOf([...list, ...more], { links }) !== undefined;
      const text = JSON.stringify({ list, links });
      if (hasFault(UP)) assert.ok(hasFault(), text);
      if (hasFault()) assert.ok(hasFault(DOWN), text);
    }
  }
});
