import assert from "node:assert/strict";
import type { SandboxNeeds } from "../../../ffi/process/syscalls.ts";
import {
  type AnytunOptions,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { counterLines } from "../../../src/daemon/counters_text.ts";
import type { Phase } from "../../../src/daemon/lifecycle.ts";
import { foregroundParent } from "../../../src/daemon/parent.ts";
import { PidFile } from "../../../src/daemon/pid_file.ts";
import { DownScript } from "../../../src/daemon/down_script.ts";
import { runPostUp } from "../../../src/daemon/post_up.ts";
import {
  findIdentity,
  giveUpPrivileges,
} from "../../../src/daemon/privileges.ts";
import type {
  ProcessControl,
  ProgramEnd,
  ProgramStart,
  RunningProgram,
} from "../../../src/daemon/process_control.ts";
import { refusalReports, sandboxNeeds } from "../../../src/daemon/sandbox.ts";
import { runProgram } from "../../../src/daemon/run_program.ts";
import {
  listenForSignals,
  type SignalName,
} from "../../../src/daemon/signals.ts";
import { Supervisor } from "../../../src/daemon/supervisor.ts";
import type { NotifySocket } from "../../../src/daemon/world.ts";
import { firstReading } from "../../../lab/first_reading.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";

const NEEDS: SandboxNeeds = {
  appended: ["/log"],
  written: [],
  removedFrom: ["/run"],
};

/** A process that notes what is done to it. */
class FakeControl implements ProcessControl {
  readonly calls: string[] = [];
  readonly started: ProgramStart[] = [];
  end: ProgramEnd = { kind: "exit", status: 0 };
  /** What programs write, read by read. */
  readonly output: (readonly string[])[] = [];
  fails: string | undefined;
  cannotConfine: string | undefined;
  refused: ReadonlyMap<string, number> = new Map();

  findUser(name: string) {
    if (name === "loner") return { uid: 17, gid: 18 };
    return name === "user" ? { uid: 7, gid: 8 } : undefined;
  }

  findGroup(name: string) {
    return name === "group" ? 9 : undefined;
  }

  groupName(gid: number) {
    return gid === 8 ? "users" : undefined;
  }

  interfaceName() {
    return undefined;
  }

  interfaceIndex(name: string) {
    return name === "eth0" ? 2 : undefined;
  }

  placeFile(path: string, bytes: Uint8Array) {
    this.#call(`place ${path} ${new TextDecoder().decode(bytes)}`);
    return {
      remove: () => this.#call(`remove ${path}`),
      close: () => this.#call(`let go of ${path}`),
    };
  }

  run(program: ProgramStart): RunningProgram {
    this.started.push(program);
    return {
      ended: Promise.resolve(this.end),
      readLines: () => this.output.shift(),
      [Symbol.dispose]: () => this.#call("close output"),
    };
  }

  keep(program: ProgramStart) {
    const { path, args, env } = program;
    this.#call(["keep", path, ...args, env.ANYTUN_ADDRESSES].join(" "));
    return { run: () => this.run(program) };
  }

  listen(): never {
    throw new Error("nothing is announced here");
  }

  changeRoot(folder: string) {
    this.#call(`root ${folder}`);
  }

  changeDirectory(folder: string) {
    this.#call(`directory ${folder}`);
  }

  changeIdentity({ uid, gid }: { uid: number; gid: number }) {
    this.#call(`identity ${uid}:${gid}`);
  }

  takeRuntimeFiles() {
    this.#call("files");
  }

  emptyBoundingSet() {
    this.#call("bounding set");
  }

  hideMemory() {
    this.#call("memory");
  }

  trimHeap() {
    this.#call("trim");
  }

  dropProgramPages() {
    this.#call("drop");
  }

  confine({ appended, removedFrom }: SandboxNeeds) {
    this.#call(`calls ${[...appended, ...removedFrom].join()}`);
    return this.cannotConfine;
  }

  confineFiles({ appended, removedFrom }: SandboxNeeds) {
    this.#call(`files ${[...appended, ...removedFrom].join()}`);
    return this.cannotConfine;
  }

  refusedCalls() {
    return this.refused;
  }

  #call(what: string) {
    if (this.fails !== undefined && what.startsWith(this.fails)) {
      throw new Error("Operation not permitted");
    }
    this.calls.push(what);
  }
}

function options(...argv: string[]): AnytunOptions {
  const line = ["-E", "x", ...argv];
  const runtime = { deno: "2.9.6", v8: "15.0" };
  const result = readAnytunCommandLine(line, runtime, fakeHostFiles());
  assert.equal(result.kind, "run");
  return result.options;
}

Deno.test("findIdentity() takes the user's group unless one is given", () => {
  const control = new FakeControl();
  const find = (...argv: string[]) => findIdentity(options(...argv), control);
  assert.equal(find(), undefined);
  const user = { uid: 7, gid: 8, text: "user:users" };
  assert.deepEqual(find("-u", "user"), user);
  const inGroup = { uid: 7, gid: 9, text: "user:group" };
  assert.deepEqual(find("-u", "user", "-g", "group"), inGroup);
  assert.equal(find("-g", "nobody knows"), undefined);
});

Deno.test("findIdentity() names a group that has no name by its number", () => {
  const identity = findIdentity(options("-u", "loner"), new FakeControl());
  assert.equal(identity?.text, "loner:18");
});

Deno.test("findIdentity() names who is unknown", () => {
  const control = new FakeControl();
  const find = (...argv: string[]) => findIdentity(options(...argv), control);
  assert.throws(() => find("-u", "nosuch"), {
    message: "unknown user nosuch (--username)",
  });
  assert.throws(() => find("-u", "user", "-g", "nosuch"), {
    message: "unknown group nosuch (--groupname)",
  });
});

Deno.test("privileges are given up last, inside of the jail", () => {
  const control = new FakeControl();
  const logger = recordingLog();
  giveUpPrivileges(
    options("-C", "/jail", "-u", "user", "-g", "group"),
    { uid: 7, gid: 9, text: "user:group" },
    NEEDS,
    control,
    logger,
  );
  assert.deepEqual(control.calls, [
    ...["files", "bounding set", "root /jail", "identity 7:9"],
    // A change of identity would undo these two, and the last one it.
    ...["memory", "files /log,/run", "calls /log,/run"],
  ]);
  assert.deepEqual(logger.lines, [
    "NOTICE: we are in chroot jail (/jail) now",
    "NOTICE: dropped privileges to user:group",
  ]);
});

Deno.test("without a jail the background moves to /, the foreground not", () => {
  for (const [argv, calls] of [[[], ["directory /"]], [["-D"], []]] as const) {
    const control = new FakeControl();
    const given = options(...argv);
    giveUpPrivileges(given, undefined, NEEDS, control, recordingLog());
    const after = ["memory", "files /log,/run", "calls /log,/run"];
    assert.deepEqual(control.calls, ["bounding set", ...calls, ...after]);
  }
});

Deno.test("a step that fails is named, and nothing comes after it", () => {
  const give = (control: FakeControl) =>
    giveUpPrivileges(
      options("-C", "/jail", "-u", "user"),
      { uid: 7, gid: 8, text: "user:users" },
      NEEDS,
      control,
      recordingLog(),
    );
  const jailed = new FakeControl();
  jailed.fails = "root";
  assert.throws(() => give(jailed), {
    message: "Cannot enter the jail (--chroot): Operation not permitted",
  });
  assert.deepEqual(jailed.calls, ["files", "bounding set"]);
  const dropped = new FakeControl();
  dropped.fails = "identity";
  assert.throws(() => give(dropped), {
    message: "Cannot drop privileges (--username): Operation not permitted",
  });
});

Deno.test("a kernel that knows no sandbox is a warning, no more", () => {
  const logger = recordingLog();
  const control = new FakeControl();
  control.cannotConfine = "it failed with EINVAL";
  giveUpPrivileges(options("-D"), undefined, NEEDS, control, logger);
  assert.deepEqual(logger.lines, [
    "INFO: files are protected by their permissions alone: " +
    "it failed with EINVAL",
    "WARNING: Cannot restrict system calls (see --no-sandbox): " +
    "it failed with EINVAL",
  ]);
});

Deno.test("with --no-sandbox neither calls nor files are restricted", () => {
  const control = new FakeControl();
  const given = options("-D", "--no-sandbox");
  giveUpPrivileges(given, undefined, NEEDS, control, recordingLog());
  assert.deepEqual(control.calls, ["bounding set", "memory"]);
});

Deno.test("the sandbox leaves the folders of logs, pid file and unix socket", () => {
  const given = options("-P", "/run/a/pid", "-L", "file:3,/var/log/a");
  const needs = sandboxNeeds(given, ["/run/b/sock"], [5]);
  assert.deepEqual(needs, {
    appended: ["/var/log/"],
    written: [5],
    removedFrom: ["/run/a/", "/run/b/"],
  });
  const bare = sandboxNeeds(options("-D"), [], []);
  assert.deepEqual(bare, { appended: [], written: [], removedFrom: [] });
  const beside = sandboxNeeds(options("-P", "pid"), [], []);
  assert.deepEqual(beside.removedFrom, ["."]);
  const jailed = options("-P", "/run/a/pid", "-C", "/jail", "-u", "nobody");
  assert.deepEqual(sandboxNeeds(jailed, [], [5, 6]), {
    ...{ appended: [], written: [5, 6], removedFrom: [] },
  });
});

Deno.test("calls that were not permitted are told once, and again when there are more", async () => {
  const control = new FakeControl();
  const logger = recordingLog();
  const stop = new AbortController();
  const seen = [new Map(), new Map([["open", 1]]), new Map([["open", 1]])];
  const every = (_ms: number, look: () => void) => {
    for (const refused of seen) {
      control.refused = refused;
      look();
    }
    // Between the last look and the end.
    control.refused = new Map([["open", 1], ["socket", 2]]);
    return Promise.resolve();
  };
  const service = refusalReports(control, every, logger);
  assert.deepEqual(service.report?.(), []);
  await service.run?.(stop.signal);
  const begin = "calls that were not permitted (name: times): open: 1";
  const hint =
    "; if the sandbox denied them, the kernel's log has them (audit, type=1326)";
  assert.deepEqual(logger.lines, [
    `WARNING: ${begin}${hint}`,
    `WARNING: ${begin}, socket: 2${hint}`,
  ]);
  assert.deepEqual(service.report?.(), [`${begin}, socket: 2`]);
});

Deno.test("a user that is root is warned about", () => {
  const logger = recordingLog();
  const root = { uid: 0, gid: 0, text: "root:root" };
  const given = options("-u", "root");
  giveUpPrivileges(given, root, NEEDS, new FakeControl(), logger);
  assert.match(logger.lines.join(), /WARNING: user root .* all privileges/);
});

function usePidFile(
  control: FakeControl,
  argv: readonly string[],
  giveUp: () => void,
): readonly string[] {
  const logger = recordingLog();
  const { pidFile, chroot } = options(...argv);
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
  await runPostUp(options(), DEVICE, scriptWorld(control), recordingLog());
  assert.deepEqual(control.started, []);
});

Deno.test("the script is told about the device, and nothing else", async () => {
  const control = new FakeControl();
  const given = options("-x", "/up", "-n", "10.0.0.1/8", "-n", "fd00::1/64");
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
    await runPostUp(options("-x", "/up"), DEVICE, scriptWorld(control), logger);
    assert.deepEqual(logger.lines, [
      "NOTICE: executing post-up script '/up'",
      line,
    ]);
    const required = runPostUp(
      options("-x", "/up", "--post-up-required"),
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
  await runPostUp(options("-x", "/up"), DEVICE, world, logger);
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
  await runPostUp(options("-x", "/up"), DEVICE, scriptWorld(control), logger);
  assert.equal(logger.lines.length, 1 + 50 + 1 + 1);
  assert.equal(
    logger.lines.at(-2),
    "NOTICE: held back 10 lines: script '/up'",
  );
});

Deno.test("the down script is kept from the start on, and runs at the end", async () => {
  const control = new FakeControl();
  const logger = recordingLog();
  const given = options("--down-script", "/down", "-n", "10.0.0.1/8");
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
  const given = options("--down-script", "/down");
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
  const given = options("--down-script", "/down");
  const world = scriptWorld(control);
  const down = new DownScript(given, () => DEVICE, world, recordingLog());
  assert.throws(() => down.start(), {
    message: "Cannot prepare '/down' (--down-script): Operation not permitted",
  });
});

Deno.test("every signal is logged and does its own thing", () => {
  const listeners = new Map<SignalName, () => void>();
  const logger = recordingLog();
  const done: string[] = [];
  using cleanup = new DisposableStack();
  listenForSignals(
    (name, listener) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
    logger,
    {
      stop: () => done.push("stop"),
      reload: () => done.push("reload"),
      report: () => done.push("report"),
    },
    cleanup,
  );
  const ends = ["SIGINT", "SIGQUIT", "SIGTERM"] as const;
  for (const name of ["SIGHUP", "SIGUSR2", ...ends] as const) {
    listeners.get(name)?.();
  }
  assert.deepEqual(done, ["reload", "report", "stop", "stop", "stop"]);
  assert.equal(listeners.size, 5, "SIGUSR1 is the runtime's");
  assert.deepEqual(logger.lines, [
    "NOTICE: SIG-Hup caught",
    "NOTICE: SIG-Usr2 caught",
    "NOTICE: SIG-Int caught, exiting",
    "NOTICE: SIG-Quit caught, exiting",
    "NOTICE: SIG-Term caught, exiting",
  ]);
  cleanup.dispose();
  assert.equal(listeners.size, 0);
});

/** What a service manager is told of phases, at 12 s after the start. */
function told(
  phases: readonly Phase[],
  socket: Partial<NotifySocket> = {},
): { readonly sent: string[]; readonly lines: readonly string[] } {
  const sent: string[] = [];
  const logger = recordingLog();
  const send = (text: string) => void sent.push(text);
  using supervisor = new Supervisor(
    { send, watchdogMs: undefined, ...socket },
    { pid: 4711, monotonic: () => 12_000_000 },
    logger,
    { hanging: () => undefined },
  );
  for (const phase of phases) supervisor.changed(phase);
  return { sent, lines: logger.lines };
}

Deno.test("a service manager is told of every phase in its own words", () => {
  const { sent, lines } = told([
    { kind: "starting", what: "device and sockets" },
    { kind: "ready" },
    { kind: "reloading" },
    { kind: "ready" },
    { kind: "ready", refusal: "no\nkey" },
    { kind: "draining" },
    { kind: "stopping" },
    { kind: "failed", reason: "the device\nis gone" },
  ]);
  assert.deepEqual(sent, [
    "STATUS=starting: device and sockets",
    "READY=1\nMAINPID=4711\nSTATUS=running",
    // sd_notify(3): both in one message.
    "RELOADING=1\nMONOTONIC_USEC=12000000\nSTATUS=reloading",
    "READY=1\nMAINPID=4711\nSTATUS=running",
    "READY=1\nMAINPID=4711\n" +
    "STATUS=running; the last reload was refused: no key",
    "STOPPING=1\nSTATUS=draining",
    "STATUS=stopping",
    "STATUS=failed: the device is gone",
  ]);
  assert.deepEqual(lines, []);
});

Deno.test("a service manager shows what a daemon that runs says of itself, and nothing of it else", () => {
  const sent: string[] = [];
  using supervisor = new Supervisor(
    { send: (text) => void sent.push(text), watchdogMs: undefined },
    { pid: 4711, monotonic: () => 12_000_000 },
    recordingLog(),
    { hanging: () => undefined },
  );
  supervisor.detail("fit");
  assert.deepEqual(sent, [], "it has not started yet");
  supervisor.changed({ kind: "ready", refusal: "no key" });
  supervisor.detail("unfit: a\nb");
  supervisor.changed({ kind: "draining" });
  supervisor.detail("draining");
  assert.deepEqual(sent, [
    "READY=1\nMAINPID=4711\n" +
    "STATUS=running; fit; the last reload was refused: no key",
    "STATUS=running; unfit: a b; the last reload was refused: no key",
    "STOPPING=1\nSTATUS=draining",
  ]);
});

Deno.test("a service manager leaves an end the time that it takes", () => {
  const { sent } = told([{ kind: "draining", takes: 90_000 }]);
  assert.deepEqual(sent, [
    "STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000\nSTATUS=draining",
  ]);
});

Deno.test("a service manager that has gone is a warning, no more", () => {
  const send = () => {
    throw new Error("Connection refused");
  };
  const { lines } = told([{ kind: "ready" }], { send });
  assert.deepEqual(lines, [
    "WARNING: Cannot notify the service manager: Connection refused",
  ]);
});

Deno.test("the watchdog hears nothing while a service hangs, and the log why", async () => {
  const sent: string[] = [];
  const logger = recordingLog();
  let hanging: string | undefined = "data plane";
  const looked = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  let looks = 0;
  using supervisor = new Supervisor(
    {
      send(text) {
        sent.push(text);
        if (text === "WATCHDOG=1") heard.resolve();
      },
      watchdogMs: 2,
    },
    { pid: 1, monotonic: () => 0 },
    logger,
    {
      hanging() {
        if (++looks === 3) looked.resolve();
        return hanging;
      },
    },
  );
  supervisor.changed({ kind: "ready" });
  await looked.promise;
  assert.equal(sent.includes("WATCHDOG=1"), false);
  assert.deepEqual(logger.lines, [
    "ERROR: the data plane hangs: the watchdog of the service manager is to " +
    "end this",
  ]);
  hanging = undefined;
  await heard.promise;
});

Deno.test("without a service manager nobody is told anything", () => {
  const logger = recordingLog();
  const world = {
    pid: 1,
    monotonic: () => assert.fail("nobody asks for the time"),
  };
  using supervisor = new Supervisor(undefined, world, logger, {
    hanging: () => undefined,
  });
  supervisor.changed({ kind: "starting", what: "x" });
  supervisor.changed({ kind: "ready" });
  supervisor.changed({ kind: "stopping" });
  assert.deepEqual(logger.lines, []);
});

Deno.test("counters of all connections and of the plane are named in the log, each once", () => {
  const counters = Float64Array.from({ length: 19 }, (_, index) => index + 101);
  const muxes = [5, 7, 65535];
  const table = { liveMuxes: () => muxes, counters: { sum: () => counters } };
  const lines = [...counterLines(table, counters)];
  const fields = lines[0]?.fields;
  assert.equal(fields?.mux, 5);
  assert.ok(typeof fields.counters === "object");
  assert.equal(fields.counters.packets_out_total, 101);
  assert.deepEqual(lines.map(({ text }) => text), [
    ...muxes.map((mux) =>
      `connection ${mux}: 101 packets out, 102 bytes out, 104 packets in, ` +
      "105 bytes in, 103 not sent, 110 dropped before a full uplink, " +
      "106 with a wrong tag, 107 replayed, 108 without payload, " +
      "109 of a wrong type, 111 from a source that is not routed to it, " +
      "112 keep-alives out, 113 dropped for congestion on the way"
    ),
    "dropped: 101 with nowhere to send them, 102 too long to send, " +
    "103 malformed on the device, 104 too short, 105 too long, " +
    "106 of an unknown mux, 107 refused by the device, " +
    "108 lost to internal errors, 109 for want of sequence numbers, " +
    "110 joined behind those for another worker, " +
    "111 windows of silent senders, 112 silent senders altogether, " +
    "113 joined with one that has a wrong tag, " +
    "117 that came to a full socket, 118 for a full device",
    "besides: 114 with an MSS that was lowered, " +
    "115 answered with how long they may be, " +
    "116 times less that a path takes, 119 long waits for a connection",
  ]);
  assert.equal([...counterLines(table, undefined)].length, 3);
});

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
      options("--nodaemonize", "--log", "stderr:1", ...change),
    ),
    services() {
      events.push("services");
      throw new Error("that is far enough");
    },
  }, world);
  assert.equal(status, 255);
  return events;
}
