import { strict as assert } from "node:assert";
import {
  formatRecord,
  muxOf,
  withLines,
} from "../../../src/fleet/record_text.ts";

Deno.test("a record has an option a line", () => {
  assert.equal(
    formatRecord([["mux", 7], ["role", "left"]]),
    "mux 7\nrole left\n",
  );
});

Deno.test("lines take the place of others, and comments stay", () => {
  const text =
    "mux 7\r\n# of Anna\n\n\tkey\t00\nkeys 1\nsalt 11 # old\nroute 1.2.3.4/32";
  assert.equal(
    withLines(text, ["key", "salt"], [["key", "ff"]]),
    "mux 7\n# of Anna\nkeys 1\nroute 1.2.3.4/32\nkey ff\n",
  );
});

Deno.test("the mux of a record is found where it is said once", () => {
  assert.equal(muxOf("role left\n mux\t12 # twelve\n"), 12);
  for (
    const text of ["", "mux", "mux x", "mux 1\nmux 2", "mux 65536", "#mux 1"]
  ) {
    assert.equal(muxOf(text), undefined);
  }
});
