/**
 * Every kind of plane that must pass the same tests.
 *
 * @module
 */
import type { NativeEngineName } from "../../src/tunnel/native/messages.ts";
import { whyNoIpsecMb, whyNoLibcrypto } from "../../lab/engines.ts";
import { MemoryPlane } from "./memory_plane.ts";
import { NativeRig } from "./native_rig.ts";
import { paramsOf, secretsOf, type VectorParams } from "../vectors/satp.ts";
import type { PlaneOptions, PlaneRig } from "./plane_rig.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** Why an engine cannot be had here, or null if it can. */
const MISSING: Readonly<Record<NativeEngineName | "webcrypto", string | null>> =
  {
    "ipsec-mb": whyNoIpsecMb(),
    openssl: whyNoLibcrypto(),
    builtin: null,
    webcrypto: null,
  };

/** The planes. */
export const PLANE_RIGS: readonly PlaneRig[] = [
  portable("webcrypto"),
  portable("builtin"),
  portable("openssl"),
  portable("ipsec-mb"),
  native("ipsec-mb", 1),
  native("ipsec-mb", 2),
  native("openssl", 2),
  native("builtin", 1),
];

/** A plane on the left with one connection, of mux 3 unless told otherwise. */
export async function planeOptions(
  vector: VectorParams,
  changes: Partial<PlaneOptions> = {},
): Promise<PlaneOptions> {
  const secrets = await secretsOf(vector);
  return {
    ...{ params: paramsOf(vector), secrets, role: "left", mux: 3 },
    ...changes,
  };
}

/** Registers a test for each kind of plane. */
export function planeTest(
  name: string,
  body: (rig: PlaneRig, t: Deno.TestContext) => Promise<void>,
): void {
  for (const rig of PLANE_RIGS) {
    testUnless([rig.missing], `${rig.name}: ${name}`, (t) => body(rig, t), {
      sanitizeResources: !rig.keepsLibrary,
    });
  }
}

function portable(engine: NativeEngineName | "webcrypto"): PlaneRig {
  return {
    name: `portable, ${engine}`,
    missing: MISSING[engine],
    keepsLibrary: engine === "openssl" || engine === "ipsec-mb",
    start: (options) => MemoryPlane.start({ ...options, engine }),
  };
}

function native(engine: NativeEngineName, workers: 1 | 2): PlaneRig {
  return {
    name: `native, ${engine}, ${workers} worker${workers === 1 ? "" : "s"}`,
    missing: MISSING[engine],
    keepsLibrary: false,
    start: (options) => NativeRig.start({ ...options, engine, workers }),
  };
}
