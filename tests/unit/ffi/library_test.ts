import assert from "node:assert/strict";
import { openCLibrary } from "../../../ffi/libc.ts";

Deno.test("a library is refused at once when it lacks a function", () => {
  assert.throws(
    () => openCLibrary({ no_such_function: { parameters: [], result: "i32" } }),
    /^Error: Cannot open the C library: .*no_such_function/,
  );
});

Deno.test("a function that is optional, and not there, is null", () => {
  const library = openCLibrary({
    getpid: { parameters: [], result: "i32" },
    no_such_function: { parameters: [], result: "i32", optional: true },
  });
  assert.equal(library.symbols.no_such_function, null);
  assert.equal(library.symbols.getpid(), Deno.pid);
  library.close();
});

Deno.test("a function is the same one however often it is asked for", () => {
  const library = openCLibrary({
    same: { name: "getpid", parameters: [], result: "i32" },
  });
  assert.equal(library.symbols.same, library.symbols.same);
  assert.equal(library.symbols.same(), Deno.pid);
  library.close();
});
