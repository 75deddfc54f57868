import assert from "node:assert/strict";
import { sha256Text } from "../../../src/crypto/sha256.ts";
import {
  fileOf,
  NumberFiles,
  SPACE_NAMES,
} from "../../../src/state/number_files.ts";
import { EVERY_SPACE, UsedNumbers } from "../../../src/state/used_numbers.ts";

Deno.test("names of files of used numbers differ by more than case", () => {
  const names = [fileOf(EVERY_SPACE), ...SPACE_NAMES];
  const folded = new Set(names.map((name) => name.toLowerCase()));
  assert.equal(folded.size, 65);
  assert.notEqual(fileOf("A").toLowerCase(), fileOf("a").toLowerCase());
});

Deno.test("spaces are spread over all files of used numbers", () => {
  const spaces = Array.from(
    { length: 2000 },
    (_, k) => sha256Text(Uint8Array.of(k, k >> 8)),
  );
  const found = new Set(spaces.map(fileOf));
  assert.deepEqual([...found].sort(), SPACE_NAMES);
});

Deno.test("a space that is no hash has no file", () => {
  const files = new NumberFiles(() => new UsedNumbers());
  for (const space of ["", "=", "-", "é"]) {
    assert.throws(() => files.at(space), {
      name: "RangeError",
      message: `Cannot keep numbers of '${space}': it is no hash`,
    });
  }
});
