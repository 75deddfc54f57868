import assert from "node:assert/strict";
import { delay } from "../../../src/net/delay.ts";

Deno.test("a delay ends by itself, and leaves no listener behind", async () => {
  const { signal } = new AbortController();
  await delay(1, signal);
  await delay(1);
});

Deno.test("a delay rejects with the reason of its signal, before and after", async () => {
  const controller = new AbortController();
  const waiting = delay(100_000, controller.signal);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(delay(100_000, controller.signal), reason);
});
