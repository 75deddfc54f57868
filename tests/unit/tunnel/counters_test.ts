import { strict as assert } from "node:assert";
import {
  CONNECTION_COUNTER_INFOS,
  ConnectionCounter,
  PLANE_COUNTER_INFOS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";

for (
  const [kind, infos, indexes] of [
    ["connection", CONNECTION_COUNTER_INFOS, ConnectionCounter],
    ["plane", PLANE_COUNTER_INFOS, PlaneCounter],
  ] as const
) {
  Deno.test(`every counter of a ${kind} has one name, and a help that is a sentence`, () => {
    const names = Object.entries(indexes).map(([constant, index]) =>
      [index, `${constant.toLowerCase()}_total`] as const
    );
    const byIndex = infos.toSorted((a, b) => a.index - b.index);
    assert.deepEqual(
      byIndex.map(({ index, name }) => [index, name]),
      names.toSorted(([a], [b]) => a - b),
    );
    assert.deepEqual(byIndex.map(({ index }) => index), [...infos.keys()]);
    for (const { name, help } of infos) {
      assert.match(name, /^[a-z][a-z0-9_]*$/);
      assert.match(help, /^[A-Z][^\n]*[.]$/);
    }
  });
}
