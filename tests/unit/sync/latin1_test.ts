import assert from "node:assert/strict";
import { latin1 } from "../../../src/sync/latin1.ts";

Deno.test("each byte is the character of its number, in short texts and in long ones", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const codes = (text: string) =>
    Array.from({ length: text.length }, (_, k) => text.charCodeAt(k));
  assert.deepEqual(codes(latin1(all)), [...all]);
  assert.deepEqual(
    [...all].flatMap((byte) => codes(latin1(Uint8Array.of(byte)))),
    [...all],
  );
});
