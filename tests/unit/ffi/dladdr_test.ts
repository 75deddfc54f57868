import assert from "node:assert/strict";
import { exportedName } from "../../../ffi/crypto/dladdr.ts";
import { cString, openCLibrary } from "../../../ffi/libc.ts";

/** The pointer to a function of the C library. */
function pointerTo(name: string): Deno.PointerObject {
  const libc = openCLibrary({
    dlsym: {
      parameters: [
        "pointer", // void *handle, null for all libraries
        "buffer", // const char *symbol
      ],
      result: "pointer",
    },
  });
  const pointer = libc.symbols.dlsym(null, cString(name));
  libc.close();
  assert.ok(pointer !== null);
  return pointer;
}

Deno.test("a function has the name that it was looked up by, in a file that is there", () => {
  for (const name of ["qsort", "strtol"]) {
    const found = exportedName(pointerTo(name));
    assert.equal(found?.name, name);
    assert.match(found.file, /\/libc\.so/);
    assert.ok(Deno.statSync(found.file).isFile);
  }
});

Deno.test("the middle of a function has no name", () => {
  const inside = Deno.UnsafePointer.offset(pointerTo("qsort"), 1);
  assert.ok(inside !== null);
  assert.equal(exportedName(inside), undefined);
});

Deno.test("what is no library's has no name", () => {
  const bytes = new Uint8Array(64);
  const pointer = Deno.UnsafePointer.of(bytes);
  assert.ok(pointer !== null);
  assert.equal(exportedName(pointer), undefined);
});
