import assert from "node:assert/strict";
import { DownScript } from "../../../src/daemon/down_script.ts";
import { runPostUp } from "../../../src/daemon/post_up.ts";
import type {
  ProgramEnd,
  ProgramStart,
} from "../../../src/daemon/process_control.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { anytunOptions, FakeControl } from "../../fakes/fake_control.ts";

const DEVICE = {
  name: "tun3",
  mtu: 1500,
  configure() {},
  openRoutes: () => assert.fail(),
  inside: <T>(work: () => T) => work(),
  state: () => ({ isUp: true, hasAddress: true }),
  isRunning: () => true,
};

/** What scripts need of the world. */
function scriptWorld(control: FakeControl, clock = new ManualClock()) {
  const { delay, every, now: elapsed } = clock;
  return { control, delay, every, elapsed };
}

Deno.test("no script is run unless one is given", async () => {
  const control = new FakeControl();
  await runPostUp(
    anytunOptions(),
    DEVICE,
    scriptWorld(control),
    recordingLog(),
  );
  assert.deepEqual(control.started, []);
});

Deno.test("the script is told about the device, and nothing else", async () => {
  const control = new FakeControl();
  const given = anytunOptions(
    "-x",
    "/up",
    "-n",
    "10.0.0.1/8",
    "-n",
    "fd00::1/64",
  );
  await runPostUp(given, DEVICE, scriptWorld(control), recordingLog());
  const [{ path, args, env }] = control.started as [ProgramStart];
  assert.equal(path, "/up");
  assert.deepEqual(args, ["tun3", "/dev/net/tun"]);
  const { PATH, ...others } = env;
  assert.match(PATH ?? "", /^\/.*:\/bin$/);
  assert.deepEqual(others, {
    ANYTUN_DEVICE: "tun3",
    ANYTUN_TYPE: "tun",
    ANYTUN_ADDRESSES: "10.0.0.1/8 fd00::1/64",
    ANYTUN_MTU: "1500",
  });
});

Deno.test("the end of a script is logged in the words of the original", async () => {
  const ends: ReadonlyArray<readonly [ProgramEnd, string]> = [
    [{ kind: "exit", status: 0 }, "NOTICE: script '/up' returned 0"],
    [{ kind: "exit", status: 3 }, "NOTICE: script '/up' returned 3"],
    [
      { kind: "signal", signal: 9 },
      "NOTICE: script '/up' terminated after signal 9",
    ],
    [
      { kind: "exec error", reason: "No such file or directory" },
      "ERROR: script '/up' exec() error: No such file or directory",
    ],
  ];
  for (const [end, line] of ends) {
    const control = new FakeControl();
    control.end = end;
    const logger = recordingLog();
    await runPostUp(
      anytunOptions("-x", "/up"),
      DEVICE,
      scriptWorld(control),
      logger,
    );
    assert.deepEqual(logger.lines, [
      "NOTICE: executing post-up script '/up'",
      line,
    ]);
    const required = runPostUp(
      anytunOptions("-x", "/up", "--post-up-required"),
      DEVICE,
      scriptWorld(control),
      logger,
    );
    if (end.kind === "exit" && end.status === 0) await required;
    else await assert.rejects(required, /'\/up' .* \(--post-up-required\)$/);
  }
});

Deno.test("what a script says is logged line by line, also what comes later", async () => {
  const control = new FakeControl();
  const clock = new ManualClock();
  control.output.push(["one", "", "two"], [], ["late"]);
  const logger = recordingLog();
  const world = scriptWorld(control, clock);
  await runPostUp(anytunOptions("-x", "/up"), DEVICE, world, logger);
  assert.deepEqual(logger.lines, [
    "NOTICE: executing post-up script '/up'",
    "NOTICE: script '/up': one",
    "NOTICE: script '/up': two",
    "NOTICE: script '/up' returned 0",
  ]);
  await clock.pass(1000);
  assert.equal(logger.lines.at(-1), "NOTICE: script '/up': late");
  await clock.pass(1000);
  assert.deepEqual(control.calls, ["close output"]);
});

Deno.test("a script that says too much is cut short, and says how much", async () => {
  const control = new FakeControl();
  control.output.push(Array.from({ length: 60 }, (_, k) => `line ${k}`));
  const logger = recordingLog();
  await runPostUp(
    anytunOptions("-x", "/up"),
    DEVICE,
    scriptWorld(control),
    logger,
  );
  assert.equal(logger.lines.length, 1 + 50 + 1 + 1);
  assert.equal(
    logger.lines.at(-2),
    "NOTICE: held back 10 lines: script '/up'",
  );
});

Deno.test("the down script is kept from the start on, and runs at the end", async () => {
  const control = new FakeControl();
  const logger = recordingLog();
  const given = anytunOptions("--down-script", "/down", "-n", "10.0.0.1/8");
  const world = scriptWorld(control);
  const down = new DownScript(given, () => DEVICE, world, logger);
  await down.close();
  assert.deepEqual(control.calls, [], "nothing to undo before the start");
  down.start();
  assert.deepEqual(control.calls, [
    "keep /down tun3 /dev/net/tun 10.0.0.1/8",
  ]);
  assert.equal(control.started.length, 0);
  control.output.push(["bye"]);
  await down.close();
  await down.close();
  assert.equal(control.started.length, 1);
  assert.deepEqual(logger.lines, [
    "NOTICE: executing down script '/down'",
    "NOTICE: script '/down': bye",
    "NOTICE: script '/down' returned 0",
  ]);
});

Deno.test("the end does not wait for a down script that hangs", async () => {
  const control = new FakeControl();
  const clock = new ManualClock();
  const logger = recordingLog();
  const { promise: never } = Promise.withResolvers<never>();
  control.run = () => ({
    ...{ ended: never, readLines: () => [] },
    [Symbol.dispose]() {},
  });
  const given = anytunOptions("--down-script", "/down");
  const world = scriptWorld(control, clock);
  const down = new DownScript(given, () => DEVICE, world, logger);
  down.start();
  const closed = down.close();
  await clock.pass(9_999);
  assert.equal(logger.lines.length, 1);
  await clock.pass(1);
  await closed;
  assert.equal(
    logger.lines.at(-1),
    "WARNING: script '/down' (--down-script) has not ended after 10 s: " +
      "going on without it",
  );
});

Deno.test("a down script that cannot be kept is an error at the start", () => {
  const control = new FakeControl();
  control.fails = "keep";
  const given = anytunOptions("--down-script", "/down");
  const world = scriptWorld(control);
  const down = new DownScript(given, () => DEVICE, world, recordingLog());
  assert.throws(() => down.start(), {
    message: "Cannot prepare '/down' (--down-script): Operation not permitted",
  });
});
