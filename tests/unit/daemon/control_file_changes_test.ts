import { strict as assert } from "node:assert";
import { ControlFileService } from "../../../src/daemon/control_file_service.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { keyOf, subjectOf } from "../../../src/sync/extension.ts";
import { Ledger } from "../../../src/sync/ledger.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { ServedRecords } from "../../../src/sync/served_records.ts";
import { Slices } from "../../../src/sync/slices.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { instanceOf, MeshLink, MeshMember } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

/** A member of ours that follows a control daemon, which serves a file. */
function rig() {
  const clock = new ManualClock();
  const file = { text: "" };
  const served: ServedRecords = new ServedRecords(
    new Ledger({
      instance: instanceOf("c"),
      now: () => 1_000_000 + clock.now(),
      elapsed: clock.now,
    }),
    {
      snapshot: () => source.snapshot(),
      isStale: () => false,
      push: () => {},
      wake: () => {},
      slices: new Slices(clock),
    },
  );
  const source = new ControlFileService(
    { path: "/clients", named: "--file", sink: served },
    {
      delay: clock.delay,
      elapsed: clock.now,
      fileVersion: () => undefined,
      readSecretFile: () => ({
        bytes: new TextEncoder().encode(file.text),
        isPublic: false,
      }),
    },
    recordingLog(),
  );
  const member = new MeshMember("a", { now: 1_000_000 });
  const link = new MeshLink(member, served);
  const write = (...records: readonly SyncRecord[]) => {
    file.text = records.map((one) => `${encodeRecord(one)}\n`).join("");
  };
  return { clock, link, member, source, write };
}

Deno.test("what leaves a file goes, and a network that another record has stays with that", async () => {
  const { clock, link, member, source, write } = rig();
  const [five, six] = [5, 6].map((mux) => routeRecord("10.0.0.0/8", mux));
  assert.ok(five !== undefined && six !== undefined);
  const connection = connectionRecord();
  const changed = connectionRecord({ firstKeyByte: 9 });
  write(connection, five);
  source.start();
  const stop = new AbortController();
  const over = source.run(stop.signal);
  link.connect();
  const steps: readonly (readonly SyncRecord[])[] = [
    ...[[changed, five], [changed, six], [changed, six, five]],
    ...[[changed, six], [six], []],
  ];
  for (const records of steps) {
    write(...records);
    // Read twice, as somebody may be writing it.
    await clock.pass(2000);
    await clock.pass(2000);
    link.carry();
    // Of two records with one network the last one counts.
    const last = new Map(
      records.map((record) => [keyOf(subjectOf(record)), record]),
    );
    assert.equal(member.records.size, last.size);
    for (const record of last.values()) assert.ok(member.has(record));
  }
  stop.abort();
  await over;
});
