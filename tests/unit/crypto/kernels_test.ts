import assert from "node:assert/strict";
import { assembled, KERNELS } from "../../../tasks/wasm/main.ts";
import { testUnless } from "../../../lab/test_unless.ts";

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

testUnless(
  [Deno.build.arch === "x86_64" ? null : "it is not x86-64"],
  "a processor without vector instructions is named as the reason",
  () => {
    const library = new URL("../../../mod.ts", import.meta.url);
    const { code, stderr } = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--v8-flags=--no-enable-sse4-1",
        `const { createSatpCodec } = await import("${library}");
        await createSatpCodec({ passphrase: "unit tests" });`,
      ],
    }).outputSync();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /Cannot open an engine: this processor has no vector instructions/,
    );
  },
);
