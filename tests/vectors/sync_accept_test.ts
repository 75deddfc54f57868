import { strict as assert } from "node:assert";
import type { KdPrfName } from "../../src/satp/params.ts";
import { SyncMember } from "../fakes/sync_member.ts";
import { loadVectors } from "./vectors.ts";
import { DIFFERENCES } from "./sync_differences.ts";

interface AcceptVectors {
  readonly cases: readonly {
    readonly name: string;
    readonly extra_args: readonly string[];
    readonly stream: string;
    readonly stream_closed_by_server_after_data: boolean;
    readonly connection_kept: boolean;
    readonly daemon_alive: boolean;
    readonly dump_after: string | null;
  }[];
}

const { cases } = loadVectors<AcceptVectors>("sync/accept.json");

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function kdPrfOf(args: readonly string[]): KdPrfName {
  if (args.join(" ") === "-c null -a null") return "null";
  return args[0] === "-k" ? args[1] as KdPrfName : "aes-ctr-128";
}

for (const recorded of cases) {
  const different = DIFFERENCES[recorded.name];
  const title = different === undefined
    ? `records are taken as by the original: ${recorded.name}`
    : `records are not taken as by the original: ${recorded.name} (${different.why})`;
  Deno.test(title, () => {
    const member = new SyncMember(kdPrfOf(recorded.extra_args));
    const fault = member.read(latin1(recorded.stream));
    // Where the server ended the stream, the original could not keep it.
    if (!recorded.stream_closed_by_server_after_data) {
      const kept = different?.kept ?? recorded.connection_kept;
      assert.equal(fault === undefined, kept, fault);
    }
    assert.equal(member.stream(), different?.state ?? recorded.dump_after);
  });
}

Deno.test("every difference from the original belongs to a recorded case", () => {
  const names = new Set(cases.map(({ name }) => name));
  assert.deepEqual(Object.keys(DIFFERENCES).filter((n) => !names.has(n)), []);
});
