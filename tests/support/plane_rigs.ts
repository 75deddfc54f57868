/**
 * Every kind of plane that must pass the same tests.
 *
 * @module
 */
import { whyNoLibcrypto } from "./libcrypto_missing.ts";
import { MemoryPlane } from "./memory_plane.ts";
import { NativeRig } from "./native_rig.ts";
import type { PlaneRig } from "./plane_rig.ts";

const noLibcrypto = whyNoLibcrypto();

/** The planes. */
export const PLANE_RIGS: readonly PlaneRig[] = [
  portable("webcrypto", null),
  portable("openssl", noLibcrypto),
  native("openssl", 1, noLibcrypto),
  native("openssl", 2, noLibcrypto),
  native("builtin", 1, null),
];

/** Registers a test for each kind of plane. */
export function planeTest(
  name: string,
  body: (rig: PlaneRig, t: Deno.TestContext) => Promise<void>,
): void {
  for (const rig of PLANE_RIGS) {
    const why = rig.missing === null ? "" : ` (skipped: ${rig.missing})`;
    Deno.test({
      name: `${rig.name}: ${name}${why}`,
      ignore: rig.missing !== null,
      sanitizeResources: !rig.keepsLibrary,
      fn: (t) => body(rig, t),
    });
  }
}

function portable(
  engine: "openssl" | "webcrypto",
  missing: string | null,
): PlaneRig {
  return {
    name: `portable, ${engine}`,
    missing,
    keepsLibrary: engine === "openssl",
    start: (options) => MemoryPlane.start({ ...options, engine }),
  };
}

function native(
  engine: "openssl" | "builtin",
  workers: 1 | 2,
  missing: string | null,
): PlaneRig {
  return {
    name: `native, ${engine}, ${workers} worker${workers === 1 ? "" : "s"}`,
    missing,
    keepsLibrary: false,
    start: (options) => NativeRig.start({ ...options, engine, workers }),
  };
}
