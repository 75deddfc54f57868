import { strict as assert } from "node:assert";
import { ControlFileService } from "../../../src/daemon/control_file_service.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { routeRecord } from "../../samples/sync_records.ts";

const FIRST = encodeRecord(routeRecord("10.0.0.0/8", 5));
const OTHER = encodeRecord(routeRecord("10.0.0.0/8", 6));
const THIRD = encodeRecord(routeRecord("10.0.0.0/8", 7));

/** A service that runs, and looks every two seconds. */
async function running(
  body: (rig: {
    readonly file: { text: string; version: string | undefined; mode: string };
    readonly service: ControlFileService;
    readonly pushed: string[];
    readonly time: ManualClock;
    /** How often it reads at so many looks. */
    looks(count: number): Promise<number>;
  }) => Promise<void>,
): Promise<void> {
  const time = new ManualClock();
  const file = { text: FIRST, version: "1" as string | undefined, mode: "ok" };
  const pushed: string[] = [];
  let reads = 0;
  const world = {
    delay: time.delay,
    elapsed: time.now,
    fileVersion: () => file.version,
    readSecretFile() {
      reads++;
      if (file.mode !== "ok") throw new Error(file.mode);
      return { bytes: new TextEncoder().encode(file.text), isPublic: false };
    },
  };
  const sink = {
    push: (record: string) => void pushed.push(record),
    remove: () => {},
  };
  const service = new ControlFileService(
    { path: "f", named: "--file", sink },
    world,
    recordingLog(),
  );
  service.start();
  const stop = new AbortController();
  const over = service.run(stop.signal);
  await body({
    ...{ file, service, pushed, time },
    async looks(count) {
      const before = reads;
      for (let k = 0; k < count; k++) await time.pass(2000);
      return reads - before;
    },
  });
  stop.abort();
  await over;
}

Deno.test("a file that nobody touches is soon read no more, until it is touched or asked for", async () => {
  await running(async ({ file, service, pushed, looks }) => {
    assert.ok(await looks(5) <= 3);
    assert.equal(await looks(50), 0);
    service.reload();
    assert.equal(await looks(1), 0);
    Object.assign(file, { text: OTHER, version: "2" });
    assert.equal(await looks(1), 1);
    assert.deepEqual(pushed, [], "somebody may be writing it");
    assert.equal(await looks(1), 1);
    assert.deepEqual(pushed, [OTHER]);
    assert.ok(await looks(5) <= 3);
    assert.equal(await looks(50), 0);
  });
});

Deno.test("what is written within a tick of the clock is seen all the same", async () => {
  await running(async ({ file, pushed, looks }) => {
    await looks(10);
    file.version = "2";
    await looks(1);
    file.text = OTHER;
    await looks(2);
    assert.deepEqual(pushed, [OTHER]);
  });
});

Deno.test("what is written within a tick of the clock is seen, however often and late it is looked at", async () => {
  await running(async ({ file, service, pushed, time, looks }) => {
    await looks(10);
    Object.assign(file, { text: OTHER, version: "2" });
    await looks(1);
    service.reload();
    assert.deepEqual(pushed, [OTHER]);
    service.reload();
    file.text = THIRD;
    await looks(2);
    assert.deepEqual(pushed, [OTHER, THIRD]);
    await looks(10);
    file.version = "3";
    await looks(1);
    file.text = OTHER;
    await time.pass(60_000);
    await looks(1);
    assert.deepEqual(pushed, [OTHER, THIRD, OTHER]);
  });
});

Deno.test("a file whose version nobody knows, or that cannot be read, is read at each look", async () => {
  await running(async ({ file, looks }) => {
    await looks(10);
    file.version = undefined;
    assert.equal(await looks(10), 10);
    Object.assign(file, { version: "2", mode: "permission denied" });
    assert.equal(await looks(10), 10);
    file.mode = "ok";
    assert.ok(await looks(1) === 1 && await looks(10) < 3);
  });
});

Deno.test("a reload reads a file that seems to be the same", async () => {
  await running(async ({ file, service, pushed, looks }) => {
    await looks(10);
    file.text = OTHER;
    assert.equal(await looks(10), 0);
    service.reload();
    await looks(1);
    assert.deepEqual(pushed, [OTHER]);
  });
});
