import assert from "node:assert/strict";
import { getConfig, getLogger } from "@logtape/logtape";
import type { LogLevel } from "../../../src/log/level.ts";
import { type Log, openLog as open } from "../../../src/log/log.ts";
import type { LogFile, LogSurroundings } from "../../../src/log/outlet.ts";
import type { Logger } from "../../../src/log/logger.ts";
import type { LogFormat, LogTarget } from "../../../src/log/target.ts";

const WHEN = new Date(2026, 10, 22, 12, 23, 22).getTime();

/** Collects what is written to it, a few bytes at a time. */
class FakeStream {
  text = "";
  /** Bytes that there is room for. */
  room = Infinity;
  #decoder = new TextDecoder();

  writeSync(bytes: Uint8Array): number {
    if (this.room === 0) throw new Error("nobody reads it");
    this.room = Math.max(0, this.room - 7);
    const taken = bytes.subarray(0, 7);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.length;
  }
}

class FakeFile implements LogFile {
  readonly lines: string[] = [];
  closed = false;
  full = false;

  write(bytes: Uint8Array): void {
    if (this.full) throw new Error("No space left on device");
    this.lines.push(new TextDecoder().decode(bytes));
  }

  close(): void {
    this.closed = true;
  }
}

class FakeSurroundings implements LogSurroundings {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly files = new Map<string, FakeFile>();
  readonly identities = new Map<string, string>();
  opened = 0;
  readonly syslog = new FakeFile();
  readonly pid = 4711;

  openFile(path: string): LogFile {
    if (path.startsWith("/nowhere/")) throw new Error("No such file");
    const file = new FakeFile();
    this.files.set(path, file);
    this.identities.set(path, `file ${++this.opened}`);
    return file;
  }

  /** Files that somebody has moved away are still in the map. */
  fileIdentity(path: string): string | undefined {
    return this.identities.get(path);
  }

  openSyslog(): LogFile {
    return this.syslog;
  }

  now(): number {
    return WHEN;
  }
}

function openLog(
  targets: readonly LogTarget[],
  around: LogSurroundings,
  format: LogFormat = "text",
): Log {
  return open({ targets, format, program: "anytun" }, around);
}

function file(path: string, level: LogLevel = 3): LogTarget {
  return { kind: "file", level, path };
}

function logEverything(logger: Logger): void {
  logger.error("e");
  logger.warning("w");
  logger.notice("n");
  logger.info("i");
  logger.debug("d");
}

Deno.test("openLog() writes the line format of the original", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 3 }], around);
  log.logger.notice("anytun started...");
  assert.equal(
    around.stdout.text,
    "2026-Nov-22 12:23:22 NOTICE: anytun started...\n",
  );
  assert.equal(around.stderr.text, "");
});

Deno.test("openLog() gives each target the lines up to its level", () => {
  for (const level of [0, 1, 2, 3, 4, 5] as const) {
    const around = new FakeSurroundings();
    using log = openLog([
      { kind: "stderr", level },
      { kind: "stdout", level: 5 },
    ], around);
    logEverything(log.logger);
    const levels = around.stderr.text.matchAll(/ (\w+): /g);
    assert.deepEqual(
      [...levels].map(([, name]) => name),
      ["ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"].slice(0, level),
    );
    assert.equal(around.stdout.text.match(/\n/g)?.length, 5);
  }
});

Deno.test("openLog() writes each line to a file at once, and closes it", () => {
  const around = new FakeSurroundings();
  const log = openLog([file("a.log"), file("b.log", 1)], around);
  log.logger.notice("one");
  log.logger.error("two");
  assert.deepEqual(around.files.get("a.log")?.lines, [
    "2026-Nov-22 12:23:22 NOTICE: one\n",
    "2026-Nov-22 12:23:22 ERROR: two\n",
  ]);
  assert.equal(around.files.get("b.log")?.lines.length, 1);
  log[Symbol.dispose]();
  for (const { closed } of around.files.values()) assert.ok(closed);
});

Deno.test("openLog() names the option of a file that cannot be opened", () => {
  const around = new FakeSurroundings();
  assert.throws(
    () => openLog([file("a.log"), file("/nowhere/b.log")], around),
    {
      message:
        "Cannot log to the file '/nowhere/b.log' (--log file): No such file",
    },
  );
  assert.ok(around.files.get("a.log")?.closed, "nothing stays open");
});

Deno.test("a log line cannot be forged, nor can LogTape be made to fill in", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 3 }], around);
  log.logger.notice("a\n2026-Nov-22 12:23:22 ERROR: b\x1b[2J {text} %s");
  assert.equal(
    around.stdout.text,
    "2026-Nov-22 12:23:22 NOTICE: " +
      "a\\n2026-Nov-22 12:23:22 ERROR: b\\x1b[2J {text} %s\n",
  );
});

const withoutTime = (line: string) =>
  line.trimEnd().slice("2026-Nov-22 12:23:22 ".length);

Deno.test("a target that fails is reported once, on the others, and tells how much it lacks", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log"), { kind: "stderr", level: 3 }], around);
  const target = around.files.get("a.log");
  assert.ok(target);
  target.full = true;
  log.logger.notice("one");
  log.logger.notice("two");
  target.full = false;
  log.logger.notice("three");
  target.full = true;
  log.logger.notice("four");
  const report = "ERROR: a log target failed: " +
    "No space left on device";
  const lines = around.stderr.text.trimEnd().split("\n")
    .map(withoutTime);
  // LogTape reports before it comes to the next target.
  assert.deepEqual(lines.sort(), [
    report,
    report,
    "NOTICE: four",
    "NOTICE: one",
    "NOTICE: three",
    "NOTICE: two",
  ]);
  assert.deepEqual(target.lines.map(withoutTime), [
    "WARNING: lines missing here: 2",
    "NOTICE: three",
  ]);
});

Deno.test("behind a line that a stream took a part of, the next one is a line of its own", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stderr", level: 3 }], around);
  around.stderr.room = 35;
  log.logger.notice("one that is longer than what there is room for");
  const cut = around.stderr.text;
  assert.equal(cut.length, 35);
  log.logger.notice("two");
  around.stderr.room = Infinity;
  log.logger.notice("three");
  log.logger.notice("four");
  const [first, ...others] = around.stderr.text.trimEnd().split("\n");
  assert.equal(first, cut);
  assert.deepEqual(others.slice(-3).map(withoutTime), [
    `WARNING: lines missing here: 2`,
    "NOTICE: three",
    "NOTICE: four",
  ]);
  assert.equal(others.length, 3);
});

Deno.test("openLog() refuses a second log and leaves the first one alone", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 3 }], around);
  assert.throws(() => openLog([file("a.log")], around), /Already configured/);
  assert.ok(around.files.get("a.log")?.closed);
  log.logger.notice("still here");
  assert.match(around.stdout.text, /still here/);
});

Deno.test("disposing of a log leaves LogTape as it was", () => {
  openLog([], new FakeSurroundings())[Symbol.dispose]();
  assert.equal(getConfig(), null);
});

Deno.test("what others log by way of LogTape stays out of the log", () => {
  const around = new FakeSurroundings();
  using _log = openLog([{ kind: "stdout", level: 5 }], around);
  getLogger("somebody-else").error("not ours");
  assert.equal(around.stdout.text, "");
});

Deno.test("openLog() needs no permission", { permissions: "none" }, () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 1 }], around);
  log.logger.error("text");
  assert.match(around.stdout.text, /ERROR: text\n$/);
});

Deno.test("a log line can be a JSON object", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 3 }], around, "json");
  log.logger.warning('a "b"\nc');
  const [line = "", rest] = around.stdout.text.split("\n");
  assert.equal(rest, "");
  assert.deepEqual(JSON.parse(line), {
    time: new Date(WHEN).toISOString(),
    level: "warning",
    message: 'a "b"\nc',
  });
});

Deno.test("lines for the journal begin with their priority, in either format", () => {
  for (const format of ["text", "json"] as const) {
    const around = Object.assign(new FakeSurroundings(), {
      journalStreams: ["stderr"] as const,
    });
    const targets = [
      { kind: "stderr", level: 5 },
      { kind: "stdout", level: 5 },
    ] as const;
    using log = openLog(targets, around, format);
    log.logger.error("one");
    log.logger.debug("two");
    const [first = "", second = ""] = around.stderr.text.split("\n");
    assert.match(first, format === "text" ? /^<3>ERROR: one$/ : /^<3>\{.*one/);
    assert.match(second, format === "text" ? /^<7>DEBUG: two$/ : /^<7>\{.*two/);
    assert.match(around.stdout.text, /^[\d{].*one/, "nobody reads it there");
  }
});

Deno.test("what a line is about are fields of its JSON object", () => {
  const around = new FakeSurroundings();
  using log = openLog([{ kind: "stdout", level: 3 }], around, "json");
  log.logger.notice("text", {
    mux: 3,
    endpoint: undefined,
    counters: { a: 1 },
  });
  const { time: _, ...line } = JSON.parse(around.stdout.text);
  assert.deepEqual(line, {
    ...{ level: "notice", message: "text", mux: 3, counters: { a: 1 } },
  });
});

Deno.test("syslog gets lines in its own format, whatever that of the others", () => {
  const around = new FakeSurroundings();
  using log = openLog(
    [{ kind: "syslog", level: 5, ident: undefined, facility: "daemon" }],
    around,
    "json",
  );
  logEverything(log.logger);
  assert.deepEqual(
    around.syslog.lines,
    ["27 e", "28 w", "29 n", "30 i", "31 d"].map((line) => {
      const [priority, text] = line.split(" ");
      return `<${priority}>Nov 22 12:23:22 anytun[4711]: ${text}`;
    }),
  );
});

Deno.test("syslog files lines under the facility and name given", () => {
  const around = new FakeSurroundings();
  using log = openLog(
    [{ kind: "syslog", level: 3, ident: "vpn", facility: "local7" }],
    around,
  );
  log.logger.notice("one\ntwo");
  assert.deepEqual(around.syslog.lines, [
    "<189>Nov 22 12:23:22 vpn[4711]: one\\ntwo",
  ]);
});

Deno.test("a stream that is given as a file is told its own target", () => {
  const around = new FakeSurroundings();
  around.openFile = (path) => {
    throw new Error(`'${path}' is a symbolic link`);
  };
  for (
    const [path, target] of [
      ["/dev/stdout", "stdout"],
      ["/dev/stderr", "stderr"],
      ["/proc/self/fd/1", "stdout"],
      ["/proc/self/fd/2", "stderr"],
    ] as const
  ) {
    assert.throws(() => openLog([file(path)], around), {
      message: `Cannot log to the file '${path}' (--log file), for which ` +
        `there is --log ${target}: '${path}' is a symbolic link`,
    });
  }
});

Deno.test("reopen() goes on in a new file of the same name", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log"), file("b.log")], around);
  const old = around.files.get("a.log");
  const unmoved = around.files.get("b.log");
  log.logger.notice("one");
  around.identities.delete("a.log");
  log.reopen();
  log.logger.notice("two");
  const renewed = around.files.get("a.log");
  assert.notEqual(renewed, old);
  assert.ok(old?.closed);
  assert.equal(old.lines.length, 1);
  assert.match(renewed?.lines.join() ?? "", /two/);
  assert.equal(around.files.get("b.log"), unmoved);
  assert.equal(unmoved?.lines.length, 2);
});

Deno.test("reopen() keeps a file that cannot be opened again", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log"), file("b.log")], around);
  const kept = around.files.get("a.log");
  around.identities.set("a.log", "somebody else's");
  const openFile = around.openFile.bind(around);
  around.openFile = (path) => {
    if (path === "a.log") throw new Error("Permission denied");
    return openFile(path);
  };
  log.reopen();
  log.logger.notice("still here");
  assert.ok(!kept?.closed);
  assert.match(
    kept?.lines.join("") ?? "",
    /WARNING: Cannot log to .*'a.log'.*: Permission denied; .* in use\n.*still here/,
  );
  assert.match(around.files.get("b.log")?.lines.join("") ?? "", /still here/);
});

const DEFAULT_SYSLOG: LogTarget = {
  kind: "syslog",
  level: 4,
  ident: undefined,
  facility: "daemon",
  isDefault: true,
};

function withoutSyslog(): FakeSurroundings {
  const around = new FakeSurroundings();
  around.openSyslog = () => {
    throw new Error("No such file or directory (connect(), ENOENT)");
  };
  return around;
}

Deno.test("without a syslog the default log goes to stderr, with one warning", () => {
  const around = withoutSyslog();
  using log = openLog([DEFAULT_SYSLOG], around);
  assert.deepEqual(log.warnings, [
    "Cannot log to syslog, the default in the background: " +
    "No such file or directory (connect(), ENOENT); logging to the standard error instead, " +
    "which the background does not have (--log file:3,PATH keeps a log)",
  ]);
  assert.deepEqual(log.errorStreams, ["stderr"]);
  logEverything(log.logger);
  assert.deepEqual(
    [...around.stderr.text.matchAll(/ (\w+): /g)].map(([, name]) => name),
    ["ERROR", "WARNING", "NOTICE", "INFO"],
  );
});

Deno.test("without a syslog one that was asked for is an error", () => {
  const { isDefault: _, ...asked } = DEFAULT_SYSLOG;
  assert.throws(() => openLog([asked], withoutSyslog()), {
    message: "Cannot log to syslog (--log syslog): " +
      "No such file or directory (connect(), ENOENT)",
  });
});

Deno.test("a log knows which standard streams show its errors", () => {
  const streams = (...targets: readonly LogTarget[]) => {
    using log = openLog(targets, new FakeSurroundings());
    return log.errorStreams;
  };
  assert.deepEqual(streams({ kind: "stderr", level: 1 }), ["stderr"]);
  assert.deepEqual(streams({ kind: "stderr", level: 0 }), []);
  assert.deepEqual(streams({ kind: "stdout", level: 5 }, file("a")), [
    "stdout",
  ]);
});

Deno.test("prepare() brings other targets into use, and keeps what stays open", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log"), file("b.log")], around);
  const [a, b] = ["a.log", "b.log"].map((path) => around.files.get(path));
  using undo = new DisposableStack();
  const targets: LogTarget[] = [
    ...[file("b.log", 5), file("c.log")],
    { kind: "stdout", level: 1 },
  ];
  const take = log.prepare({ targets, format: "json" }, undo);
  log.logger.info("before");
  assert.deepEqual(b?.lines, [], "nothing has changed yet");
  take();
  undo.move();
  log.logger.info("after");
  assert.ok(a?.closed && !b?.closed);
  assert.equal(around.files.get("b.log"), b);
  assert.match(b?.lines.join() ?? "", /^\{.*"after".*\}\n$/);
  assert.deepEqual(around.files.get("c.log")?.lines, []);
  assert.deepEqual(log.errorStreams, ["stdout"]);
});

Deno.test("prepare() leaves everything as it was if a target cannot be opened", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log")], around);
  const undo = new DisposableStack();
  const targets = [file("c.log"), file("/nowhere/d.log")];
  assert.throws(() => log.prepare({ targets, format: "text" }, undo), {
    message: /'\/nowhere\/d\.log' \(--log file\)/,
  });
  undo.dispose();
  assert.ok(around.files.get("c.log")?.closed);
  log.logger.notice("n");
  assert.equal(around.files.get("a.log")?.lines.length, 1);
});

Deno.test("prepare() opens nothing twice that another level is for", () => {
  const around = new FakeSurroundings();
  using log = openLog([file("a.log", 1)], around);
  for (const level of [5, 3, 4] as const) {
    using undo = new DisposableStack();
    const targets = [file("a.log", level)];
    log.prepare({ targets, format: "text" }, undo)();
    undo.move();
  }
  assert.equal(around.opened, 1);
  logEverything(log.logger);
  assert.equal(around.files.get("a.log")?.lines.length, 4);
});
