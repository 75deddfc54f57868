import assert from "node:assert/strict";
import { PidFile } from "../../../src/daemon/pid_file.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { anytunOptions, FakeControl } from "../../fakes/fake_control.ts";

function usePidFile(
  control: FakeControl,
  argv: readonly string[],
  giveUp: () => void,
): readonly string[] {
  const logger = recordingLog();
  const { pidFile, chroot } = anytunOptions(...argv);
  const world = { pid: 4711, control };
  const file = new PidFile({ pidFile, chroot }, world, logger);
  assert.deepEqual(control.calls, [], "nothing before it is to be placed");
  try {
    file.place(giveUp);
  } finally {
    file.close();
  }
  return logger.lines;
}

Deno.test("the pid file is made with the last of the privileges, and removed", () => {
  const control = new FakeControl();
  const giveUp = () => void control.calls.push("give up");
  assert.deepEqual(usePidFile(control, ["-P", "/run/pid"], giveUp), []);
  assert.deepEqual(control.calls, [
    "place /run/pid 4711",
    "give up",
    "remove /run/pid",
    "let go of /run/pid",
  ]);
  const without = new FakeControl();
  usePidFile(without, [], () => void without.calls.push("give up"));
  assert.deepEqual(without.calls, ["give up"]);
});

Deno.test("a pid file that cannot be made ends the start, and is named", () => {
  const control = new FakeControl();
  control.fails = "place";
  const place = () =>
    usePidFile(control, ["-P", "/run/pid"], () => assert.fail("given up"));
  assert.throws(place, {
    message: "can't open pid file (--write-pid /run/pid): " +
      "Operation not permitted",
  });
});

Deno.test("no pid file stays of a daemon that could not give up privileges", () => {
  const control = new FakeControl();
  const place = () =>
    usePidFile(control, ["-P", "/run/pid", "-C", "/jail"], () => {
      throw new Error("no");
    });
  assert.throws(place, /no/);
  assert.equal(control.calls.includes("remove /run/pid"), true);
});

Deno.test("no folder outside of a jail is left open for the pid file", () => {
  const control = new FakeControl();
  const giveUp = () => void control.calls.push("give up");
  const lines = usePidFile(control, ["-P", "/run/pid", "-C", "/jail"], giveUp);
  assert.deepEqual(control.calls, [
    "place /run/pid 4711",
    "give up",
    "let go of /run/pid",
  ]);
  assert.match(lines.join("\n"), /^INFO: pid file '\/run\/pid' .*will stay/);
});

Deno.test("a pid file that may not be removed is no more than a line", () => {
  const control = new FakeControl();
  control.fails = "remove";
  assert.deepEqual(usePidFile(control, ["-P", "/run/pid"], () => {}), [
    "INFO: pid file '/run/pid' (--write-pid) stays: Operation not permitted",
  ]);
});
