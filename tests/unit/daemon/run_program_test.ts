import assert from "node:assert/strict";
import { foregroundParent } from "../../../src/daemon/parent.ts";
import { runProgram } from "../../../src/daemon/run_program.ts";
import { firstReading } from "../../../lab/first_reading.ts";
import { anytunOptions, FakeControl } from "../../fakes/fake_control.ts";

// In the jail it cannot be loaded; shortly before, the runtime still writes its
// caches while they are taken away.
for (const change of [["-C", "/"], ["-u", "user"]]) {
  Deno.test(`with ${change.join(" ")} the lookup of names is loaded before any service is made`, async () => {
    assert.deepEqual(await startWith(change), ["lookup", "services"]);
  });
}

Deno.test("without another user or folder the lookup of names is not loaded at the start", async () => {
  assert.deepEqual(await startWith([]), ["services"]);
});

Deno.test("a daemon that fails says so whole, however little its stream takes at once", () => {
  let text = "";
  const stderr = {
    writeSync(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Math.min(bytes.length, 3);
    },
  };
  foregroundParent(stderr, []).failed("the device is gone");
  assert.equal(text, "the device is gone\n");
});

Deno.test("a daemon that fails ends as one that failed, also where nobody can be told", async () => {
  const failed = () => {
    throw new Error("nobody reads it");
  };
  assert.deepEqual(await startWith([], failed), ["services"]);
});

/** A start that ends when its services are asked for. */
async function startWith(
  change: readonly string[],
  failed = () => {},
): Promise<string[]> {
  const events: string[] = [];
  const stream = { writeSync: (bytes: Uint8Array) => bytes.length };
  const control = new FakeControl();
  const world = {
    ...{ stdout: stream, stderr: stream, control, pid: 1 },
    openFile: () => assert.fail("opens a file"),
    fileIdentity: () => undefined,
    openSyslog: () => assert.fail("opens a syslog"),
    now: () => 0,
    elapsed: () => 0,
    monotonic: () => 0,
    delay: () => Promise.resolve(),
    every: () => Promise.resolve(),
    onSignal: () => () => {},
    openNotifySocket: () => undefined,
    loadLookup() {
      events.push("lookup");
      return Promise.resolve();
    },
    parent: {
      sharedStreams: [],
      hasConfinedFiles: false,
      changed() {},
      say() {},
      failed,
    },
  };
  const status = await runProgram({
    name: "anytun",
    configured: firstReading(
      anytunOptions("--nodaemonize", "--log", "stderr:1", ...change),
    ),
    services() {
      events.push("services");
      throw new Error("that is far enough");
    },
  }, world);
  assert.equal(status, 255);
  return events;
}
