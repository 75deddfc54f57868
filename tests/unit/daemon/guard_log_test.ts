import assert from "node:assert/strict";
import {
  endText,
  guardLogOf,
  streamOf,
} from "../../../src/daemon/guard_log.ts";
import type { LogTarget } from "../../../src/log/target.ts";

function guardLog(...logTargets: readonly LogTarget[]) {
  const absolute = (path: string) => `/home/${path}`;
  return guardLogOf({ logTargets, logFormat: "json" }, absolute);
}

const SYSLOG = {
  ...{ kind: "syslog", level: 3, isDefault: true },
  ...{ ident: "anytun", facility: "daemon" },
} as const;

Deno.test("a guard logs where its daemon does, in one stream, and besides a file to the syslog", () => {
  const log = guardLog(
    { kind: "stderr", level: 3 },
    { kind: "stdout", level: 5 },
    { kind: "file", level: 3, path: "log" },
    { kind: "file", level: 2, path: "more" },
  );
  assert.deepEqual(log, {
    targets: [
      { kind: "stderr", level: 3 },
      { kind: "file", level: 3, path: "/home/log" },
      { kind: "file", level: 2, path: "/home/more" },
      SYSLOG,
    ],
    format: "json",
  });
  assert.equal(streamOf(log), 2);
  assert.equal(streamOf(guardLog({ kind: "stdout", level: 3 })), 1);
});

Deno.test("a guard has the daemon's syslog, and says nothing where that logs nothing", () => {
  const log = guardLog(
    {
      ...{ kind: "syslog", level: 4, facility: "local1" },
      ident: undefined,
    },
    { kind: "file", level: 3, path: "log" },
  );
  assert.deepEqual(log.targets, [
    { ...SYSLOG, level: 4, facility: "local1" },
    { kind: "file", level: 3, path: "/home/log" },
  ]);
  assert.equal(streamOf(log), undefined);
  for (const quiet of [{ kind: "stdout" }, { kind: "file", path: "log" }]) {
    const target = { level: 0, ...quiet } as LogTarget;
    assert.deepEqual(guardLog(target).targets, []);
  }
});

Deno.test("a guard says which addresses it took away, or why they stay", () => {
  const setup = {
    addresses: [
      { bytes: [192, 0, 2, 1], length: 32 },
      { bytes: [0x20, 1, ...Array(13).fill(0), 1], length: 128 },
    ],
    device: "any0",
    hasScript: true,
  };
  const start =
    "the daemon (process 7) has ended without a word, as one that " +
    "is killed: ";
  assert.equal(
    endText(setup, 7, undefined),
    `${start}192.0.2.1/32, 2001::1/128 is announced no more on any0; the ` +
      "announce-script is told to withdraw",
  );
  assert.equal(
    endText({ ...setup, hasScript: false }, 7, "EPERM"),
    `${start}its guard cannot take away 192.0.2.1/32, 2001::1/128 from any0: ` +
      "EPERM",
  );
});
