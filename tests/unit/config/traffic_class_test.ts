import assert from "node:assert/strict";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

function choice(...argv: string[]) {
  const { dscp, ecn } = runOf(readAnytun(argv)).options;
  return { dscp, ecn };
}

Deno.test("marks of congestion go with a DSCP that is copied, unless told otherwise", () => {
  assert.deepEqual(choice(), { dscp: "off", ecn: false });
  assert.deepEqual(choice("--dscp", "copy"), { dscp: "copy", ecn: true });
  assert.deepEqual(choice("--dscp", "46"), { dscp: 46, ecn: false });
  assert.deepEqual(choice("--ecn", "on"), { dscp: "off", ecn: true });
  const both = choice("--dscp", "copy", "--ecn", "off");
  assert.deepEqual(both, { dscp: "copy", ecn: false });
});

Deno.test("a DSCP is copied, off or a number of six bits, and ECN on or off", () => {
  for (const wrong of ["64", "-1", "0x2e", "ef", ""].slice(0, 4)) {
    faultOf(readAnytun([`--dscp=${wrong}`]));
  }
  const fault = faultOf(readAnytun(["--dscp", "64"]));
  assert.match(fault, /copy, off, or a number from 0 to 63/);
  assert.match(faultOf(readAnytun(["--ecn", "yes"])), /needs on or off/);
});
