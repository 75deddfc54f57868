import assert from "node:assert/strict";
import {
  cellText,
  commandOf,
  renderTable,
  type Report,
  withTables,
} from "./report.ts";
import { SCENARIOS } from "./scenarios/mod.ts";

const figures = [{ id: "rate", label: "Mbit/s" }, { id: "lost", label: "%" }];

const table = { name: "rain", title: "Rain", text: "It rains.", figures };

const report: Report = {
  environment: {
    ...{ date: "", cpu: "", cores: 2, memory: 0, kernel: "", deno: "" },
    ...{ congestionControl: "", loadAverage: 0 },
  },
  ...{ seconds: 3, pauseSeconds: 20, omissions: [], failures: [] },
  contenders: [
    { id: "a", label: "A", version: "1" },
    { id: "b", label: "B", version: "2" },
    { id: "c", label: "C", version: "3" },
  ],
  tables: [table],
  cells: [
    {
      ...{ scenario: "rain", case: "drops", contender: "a", survived: true },
      figures: { rate: 123.456, lost: 0 },
    },
    {
      ...{ scenario: "rain", case: "hail", contender: "b", survived: false },
      ...{ figures: {}, note: "it ended" },
    },
    {
      ...{ scenario: "sun", case: "heat", contender: "c", survived: true },
      figures: {},
    },
  ],
};

Deno.test("a table has a row for each case and a column for each who was asked", () => {
  assert.equal(
    renderTable(report, table),
    [
      "### Rain",
      "",
      "It rains.",
      "",
      "| Mbit/s · % | A       | B                |",
      "| ---------- | ------- | ---------------- |",
      "| drops      | 123 · 0 |                  |",
      "| hail       |         | **no**, it ended |",
      "",
      `\`${commandOf(table)}\``,
    ].join("\n"),
  );
});

Deno.test("a cell says no where something was not stood, and keeps its figures", () => {
  const lost = { survived: false, figures: { rate: 0.5 } };
  assert.equal(cellText(lost, figures), "**no**, 0.500 · -");
  assert.equal(cellText({ survived: true, figures: {} }, figures), "yes");
});

Deno.test("no two scenarios, nor two cases of one, have the same name", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const { cases } of SCENARIOS) {
    const names = cases.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  }
});

Deno.test("tables of a later run take the places of those before", () => {
  const sun = { ...table, name: "sun" };
  const both = { ...report, tables: [table, sun] };
  const cell = {
    ...{ scenario: "rain", case: "drops", contender: "a", survived: false },
    figures: { rate: 1 },
  };
  const later = { ...report, tables: [{ ...table, text: "Still." }] };
  const joined = withTables(both, { ...later, cells: [cell] }, ["rain", "sun"]);
  assert.deepEqual(joined.tables.map(({ text }) => text), ["Still.", sun.text]);
  assert.deepEqual(joined.cells, [report.cells[2], cell]);
  assert.throws(
    () => withTables(both, { ...later, seconds: 1 }, []),
    /other length of copies than that of all tables/,
  );
});
