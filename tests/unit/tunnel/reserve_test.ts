import assert from "node:assert/strict";
import openWabt from "wabt";
import { ASSEMBLED } from "../../../src/tunnel/reserve.ts";

Deno.test("the committed bytes are what reserve.wat assembles to", async () => {
  const source = new URL("../../../src/tunnel/reserve.wat", import.meta.url);
  const wabt = await openWabt();
  const module = wabt.parseWat(
    "reserve.wat",
    await Deno.readTextFile(source),
    { threads: true },
  );
  const assembled = module.toBinary({}).buffer;
  module.destroy();
  assert.equal(ASSEMBLED, btoa(String.fromCharCode(...assembled)));
});
