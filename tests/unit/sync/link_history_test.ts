import { strict as assert } from "node:assert";
import { LinkHistory } from "../../../src/sync/link_history.ts";

function rig() {
  const clock = { now: 1000 };
  const link = new LinkHistory(() => clock.now);
  const after = (ms: number) => {
    clock.now += ms;
    return link.view();
  };
  return { clock, link, after };
}

Deno.test("a link is down from the start, while it is not up, and from its end", () => {
  const { link, after } = rig();
  assert.equal(after(500).downFor, 500);
  link.connected();
  assert.equal(after(500).downFor, undefined);
  link.lost(false);
  assert.equal(after(700).downFor, 700);
});

Deno.test("the table of an original was heard once it is silent after something", () => {
  const { link, after } = rig();
  assert.equal(after(60_000).hasTable, false);
  link.connected();
  assert.equal(after(999).hasTable, false);
  link.heard();
  assert.equal(after(999).hasTable, false);
  assert.equal(after(1).hasTable, true);
  link.lost(false);
  assert.equal(after(60_000).hasTable, true, "once is enough");
});

Deno.test("a link that breaks in the middle of the table has not heard it", () => {
  const { link, after } = rig();
  link.connected();
  for (let k = 0; k < 9; k++) {
    after(900);
    link.heard();
  }
  link.lost(false);
  assert.equal(after(60_000).hasTable, false);
});

Deno.test("a server that is connected and says nothing has told no table, however long", () => {
  const { link, after } = rig();
  for (let k = 0; k < 3; k++) {
    link.connected();
    assert.equal(after(60_000).hasTable, false);
    link.lost(false);
  }
});

Deno.test("a server that is never silent has told its table after ten seconds", () => {
  const { link, after } = rig();
  link.connected();
  link.heard();
  for (let k = 0; k < 19; k++) {
    assert.equal(after(500).hasTable, false);
    link.heard();
  }
  assert.equal(after(500).hasTable, true);
});

Deno.test("a link is refused until it is up, or fails in another way", () => {
  const { link, after } = rig();
  link.failed(true);
  assert.equal(after(0).isRefused, true);
  link.failed(false);
  assert.equal(after(0).isRefused, false);
  link.failed(true);
  link.connected();
  link.lost(false);
  assert.equal(after(0).isRefused, false);
  link.connected();
  link.lost(true);
  assert.equal(after(0).isRefused, true, "who says goodbye is there");
  link.failed(false);
  assert.equal(after(0).isRefused, false);
});

Deno.test("of a server of ours the table was heard once it says so, and not before", () => {
  const { link, after } = rig();
  link.connected();
  link.heard();
  link.progressed(false);
  assert.equal(after(60_000).hasTable, false, "however silent it is");
  link.lost(false);
  link.connected();
  link.heard();
  assert.equal(after(60_000).hasTable, false, "it has not begun to answer");
  link.progressed(true);
  assert.equal(after(0).hasTable, true);
  link.lost(false);
  link.connected();
  link.progressed(false);
  assert.equal(after(0).hasTable, true, "once is enough");
});
