// A certificate that a control host has shown, which names the host or does not.
import { strict as assert } from "node:assert";
import { certificateFile } from "../../../lab/certificates.ts";
import { hostNamesIn, namesHost } from "../../../src/sync/certificate_names.ts";
import { SyncError } from "../../../src/sync/error.ts";
import type { Target } from "../target.ts";

export default function open(): Target {
  return {
    seeds: ["alice", "named", "shared"].map(der),
    maxBytes: 800,
    run(input) {
      const names = namesIn(input);
      if (names === undefined) return;
      for (const name of names.names) {
        assert.equal(name, name.toLowerCase());
      }
      assert.equal(namesHost(names, ""), names.names.includes(""));
      namesHost(names, "192.0.2.1");
    },
  };
}

function namesIn(input: Uint8Array) {
  try {
    return hostNamesIn(input);
  } catch (error) {
    assert.ok(error instanceof SyncError, `untyped: ${error}`);
    return undefined;
  }
}

function der(name: string): Uint8Array {
  const pem = Deno.readTextFileSync(certificateFile(`${name}.pem`));
  const text = pem.replaceAll(/-----.*-----|\s/g, "");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
