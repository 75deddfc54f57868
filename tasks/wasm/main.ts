// Assembles the WebAssembly of the engines: `deno task wasm`. A test holds that
// the results are what this makes.
import openWabt from "wabt";
import { AES_SCRATCH_BYTES, aesWat } from "./aes.ts";
import { HMAC_SCRATCH_BYTES, hmacSha1Wat } from "./hmac_sha1.ts";

interface Kernel {
  readonly name: string;
  readonly wat: () => string;
  /** Bytes in which it works. */
  readonly scratch: number;
  readonly path: string;
}

export const KERNELS: readonly Kernel[] = [{
  name: "AES",
  wat: aesWat,
  scratch: AES_SCRATCH_BYTES,
  path: "src/crypto/aes_wasm.ts",
}, {
  name: "HMAC_SHA1",
  wat: hmacSha1Wat,
  scratch: HMAC_SCRATCH_BYTES,
  path: "src/crypto/hmac_sha1_wasm.ts",
}];

/** The module of a kernel as source text. */
export async function assembled(kernel: Kernel): Promise<string> {
  const wabt = await openWabt();
  const features = { simd: true, relaxed_simd: true };
  const module = wabt.parseWat(kernel.name, kernel.wat(), features);
  const { buffer } = module.toBinary({});
  module.destroy();
  const text = btoa(String.fromCharCode(...buffer));
  const lines = text.match(/.{1,74}/g) ?? [];
  return `// Made by tasks/wasm/main.ts.

/** Bytes of memory in which it works. */
export const ${kernel.name}_SCRATCH_BYTES = ${kernel.scratch};

export const ${kernel.name}_WASM = "" +
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

if (import.meta.main) {
  const root = new URL("../../", import.meta.url);
  for (const kernel of KERNELS) {
    const text = await assembled(kernel);
    await Deno.writeTextFile(new URL(kernel.path, root), text);
  }
}
