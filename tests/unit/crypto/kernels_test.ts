import assert from "node:assert/strict";
import { assembled, KERNELS } from "../../../tasks/wasm/main.ts";

for (const kernel of KERNELS) {
  Deno.test(`${kernel.path} is what tasks/wasm/main.ts makes`, async () => {
    const url = new URL(`../../../${kernel.path}`, import.meta.url);
    // The formatter may break lines elsewhere.
    const normal = (text: string) => text.replaceAll(/\s+/g, " ");
    assert.equal(
      normal(await Deno.readTextFile(url)),
      normal(await assembled(kernel)),
    );
  });
}
