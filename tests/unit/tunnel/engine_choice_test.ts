import assert from "node:assert/strict";
import {
  chooseEngine,
  type ChosenEngine,
  type EngineLibraries,
} from "../../../src/tunnel/choose_engine.ts";
import type { EngineChoice } from "../../../src/tunnel/settings.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** Libraries that are there unless a reason is given why not. */
class Libraries implements EngineLibraries {
  /** How many are open. */
  open = 0;
  readonly #missing: Partial<Record<keyof EngineLibraries, string>>;

  constructor(missing: Partial<Record<keyof EngineLibraries, string>>) {
    this.#missing = missing;
  }

  readonly libcrypto = () => this.#open("libcrypto", "OpenSSL 3.9.9");
  readonly ipsecMb = () => this.#open("ipsecMb", "1.3.9");

  #open(name: keyof EngineLibraries, version: string) {
    const reason = this.#missing[name];
    if (reason !== undefined) throw new Error(reason);
    this.open++;
    return { version, close: () => void this.open-- };
  }
}

function choose(
  wanted: EngineChoice,
  missing: ConstructorParameters<typeof Libraries>[0] = {},
): ChosenEngine & { readonly lines: readonly string[] } {
  const log = recordingLog();
  const libraries = new Libraries(missing);
  const chosen = chooseEngine(wanted, log, libraries);
  assert.equal(libraries.open, 0);
  return { ...chosen, lines: log.lines };
}

const ipsecMb = { name: "ipsec-mb", why: "libIPSec_MB 1.3.9", lines: [] };
const openssl = { name: "openssl", why: "OpenSSL 3.9.9", lines: [] };

Deno.test("auto takes ipsec-mb where both libraries are there, without a word", () => {
  assert.deepEqual(choose("auto"), ipsecMb);
});

Deno.test("auto does without libIPSec_MB, and says why to those who listen", () => {
  assert.deepEqual(choose("auto", { ipsecMb: "It is too old" }), {
    ...openssl,
    lines: [
      "INFO: engine ipsec-mb, the fastest, is not available: It is too old",
    ],
  });
});

Deno.test("auto does without libcrypto, with a warning that says how to get it", () => {
  for (const missing of [{}, { ipsecMb: "It is gone" }]) {
    assert.deepEqual(choose("auto", { libcrypto: "It is gone", ...missing }), {
      name: "builtin",
      why: "no libcrypto",
      lines: [
        "WARNING: engines ipsec-mb and openssl, the fast ones, are not " +
        "available: It is gone; install OpenSSL's libcrypto, version 3 or 1.1",
      ],
    });
  }
});

Deno.test("an engine is had by its name, whatever else there is", () => {
  const none = { libcrypto: "no libcrypto", ipsecMb: "no libIPSec_MB" };
  const why = "as asked for";
  assert.deepEqual(choose("ipsec-mb"), ipsecMb);
  assert.deepEqual(choose("openssl"), openssl);
  assert.deepEqual(choose("openssl", { ipsecMb: "no libIPSec_MB" }), openssl);
  for (const name of ["builtin", "webcrypto"] as const) {
    assert.deepEqual(choose(name), { name, why, lines: [] });
    assert.deepEqual(choose(name, none), { name, why, lines: [] });
  }
});

Deno.test("an engine asked for by name is had or none is", () => {
  const noLibcrypto = { libcrypto: "no libcrypto" };
  const noIpsecMb = { ipsecMb: "no libIPSec_MB" };
  const failing = [
    ["openssl", noLibcrypto, "no libcrypto"],
    ["ipsec-mb", noLibcrypto, "no libcrypto"],
    ["ipsec-mb", noIpsecMb, "no libIPSec_MB"],
  ] as const;
  for (const [wanted, missing, message] of failing) {
    assert.throws(() => choose(wanted, missing), { message });
  }
});
