import assert from "node:assert/strict";
import {
  type LoggedOptions,
  LogService,
} from "../../../src/daemon/log_service.ts";
import type { LogTarget } from "../../../src/log/target.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const FILE: LogTarget = { kind: "file", level: 3, path: "/log/a" };

/** A log that notes what it is told. */
function setUp(first: LoggedOptions) {
  const notes: string[] = [];
  const service = new LogService({
    logger: recordingLog(),
    ...{ warnings: [], errorStreams: [] },
    reopen: () => void notes.push("reopen"),
    prepare({ targets }, undo) {
      if (targets.length === 0) throw new Error("no targets");
      notes.push("open");
      undo.defer(() => void notes.push("close"));
      return () => void notes.push("take");
    },
    [Symbol.dispose]() {},
  }, first);
  return { service, notes };
}

function loggedTo(...logTargets: LogTarget[]): LoggedOptions {
  return { logTargets, logFormat: "text" };
}

Deno.test("other targets are opened when they are checked, and taken at the reload", () => {
  const { service, notes } = setUp(loggedTo(FILE));
  using undo = new DisposableStack();
  const next = loggedTo({ ...FILE, level: 5 });
  service.check(next, undo);
  undo.move();
  assert.deepEqual(notes, ["open"]);
  service.reload(next);
  service.reload(next);
  assert.deepEqual(notes, ["open", "take", "reopen", "reopen"]);
});

Deno.test("targets that are the same are left alone, but for files that were moved", () => {
  const { service, notes } = setUp(loggedTo(FILE));
  const next = loggedTo({ ...FILE });
  service.check(next, new DisposableStack());
  service.reload(next);
  assert.deepEqual(notes, ["reopen"]);
});

Deno.test("the same targets are opened anew for another format", () => {
  const { service, notes } = setUp(loggedTo(FILE));
  const next: LoggedOptions = { ...loggedTo(FILE), logFormat: "json" };
  service.check(next, new DisposableStack());
  service.reload(next);
  assert.deepEqual(notes, ["open", "take", "reopen"]);
});

Deno.test("targets are not taken where another service was at fault", () => {
  const first = loggedTo(FILE);
  const { service, notes } = setUp(first);
  const undo = new DisposableStack();
  service.check(loggedTo({ ...FILE, level: 5 }), undo);
  undo.dispose();
  service.reload(first);
  assert.deepEqual(notes, ["open", "close", "reopen"]);
});

Deno.test("a target that cannot be opened says what a running daemon can open", () => {
  const { service } = setUp(loggedTo(FILE));
  assert.throws(
    () => service.check(loggedTo(), new DisposableStack()),
    /^Error: no targets; a running daemon may open files only as its user/,
  );
});
