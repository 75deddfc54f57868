import assert from "node:assert/strict";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { effectiveUser } from "../../../ffi/process/identity.ts";
import { ownKindOf } from "../../../src/daemon/path_kind.ts";

Deno.test("a program is what this user may run, and nothing else", () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/file`, "", { mode: 0o600 });
    Deno.writeTextFileSync(`${folder}/program`, "", { mode: 0o700 });
    Deno.symlinkSync(`${folder}/program`, `${folder}/link`);
    assert.deepEqual(
      ["", "/file", "/program", "/link", "/none"]
        .map((name) => ownKindOf(libc, folder + name)),
      ["folder", "file", "program", "program", "none"],
    );
    // For others: to the owner that says no, and to root nothing does.
    Deno.writeTextFileSync(`${folder}/others`, "", { mode: 0o607 });
    const isRoot = effectiveUser(libc) === 0;
    const kind = ownKindOf(libc, `${folder}/others`);
    assert.equal(kind, isRoot ? "program" : "file");
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});
