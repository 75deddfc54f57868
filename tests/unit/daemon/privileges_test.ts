import assert from "node:assert/strict";
import type { SandboxNeeds } from "../../../ffi/process/syscalls.ts";
import {
  findIdentity,
  giveUpPrivileges,
} from "../../../src/daemon/privileges.ts";
import { refusalReports, sandboxNeeds } from "../../../src/daemon/sandbox.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { anytunOptions, FakeControl } from "../../fakes/fake_control.ts";

const NEEDS: SandboxNeeds = {
  appended: ["/log"],
  written: [],
  removedFrom: ["/run"],
};

Deno.test("findIdentity() takes the user's group unless one is given", () => {
  const control = new FakeControl();
  const find = (...argv: string[]) =>
    findIdentity(anytunOptions(...argv), control);
  assert.equal(find(), undefined);
  const user = { uid: 7, gid: 8, text: "user:users" };
  assert.deepEqual(find("-u", "user"), user);
  const inGroup = { uid: 7, gid: 9, text: "user:group" };
  assert.deepEqual(find("-u", "user", "-g", "group"), inGroup);
  assert.equal(find("-g", "nobody knows"), undefined);
});

Deno.test("findIdentity() names a group that has no name by its number", () => {
  const identity = findIdentity(
    anytunOptions("-u", "loner"),
    new FakeControl(),
  );
  assert.equal(identity?.text, "loner:18");
});

Deno.test("findIdentity() names who is unknown", () => {
  const control = new FakeControl();
  const find = (...argv: string[]) =>
    findIdentity(anytunOptions(...argv), control);
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
    anytunOptions("-C", "/jail", "-u", "user", "-g", "group"),
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
    const given = anytunOptions(...argv);
    giveUpPrivileges(given, undefined, NEEDS, control, recordingLog());
    const after = ["memory", "files /log,/run", "calls /log,/run"];
    assert.deepEqual(control.calls, ["bounding set", ...calls, ...after]);
  }
});

Deno.test("a step that fails is named, and nothing comes after it", () => {
  const give = (control: FakeControl) =>
    giveUpPrivileges(
      anytunOptions("-C", "/jail", "-u", "user"),
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
  giveUpPrivileges(anytunOptions("-D"), undefined, NEEDS, control, logger);
  assert.deepEqual(logger.lines, [
    "INFO: files are protected by their permissions alone: " +
    "it failed with EINVAL",
    "WARNING: Cannot restrict system calls (see --no-sandbox): " +
    "it failed with EINVAL",
  ]);
});

Deno.test("with --no-sandbox neither calls nor files are restricted", () => {
  const control = new FakeControl();
  const given = anytunOptions("-D", "--no-sandbox");
  giveUpPrivileges(given, undefined, NEEDS, control, recordingLog());
  assert.deepEqual(control.calls, ["bounding set", "memory"]);
});

Deno.test("the sandbox leaves the folders of logs, pid file and unix socket", () => {
  const given = anytunOptions("-P", "/run/a/pid", "-L", "file:3,/var/log/a");
  const needs = sandboxNeeds(given, ["/run/b/sock"], [5]);
  assert.deepEqual(needs, {
    appended: ["/var/log/"],
    written: [5],
    removedFrom: ["/run/a/", "/run/b/"],
  });
  const bare = sandboxNeeds(anytunOptions("-D"), [], []);
  assert.deepEqual(bare, { appended: [], written: [], removedFrom: [] });
  const beside = sandboxNeeds(anytunOptions("-P", "pid"), [], []);
  assert.deepEqual(beside.removedFrom, ["."]);
  const jailed = anytunOptions(
    "-P",
    "/run/a/pid",
    "-C",
    "/jail",
    "-u",
    "nobody",
  );
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
  const given = anytunOptions("-u", "root");
  giveUpPrivileges(given, root, NEEDS, new FakeControl(), logger);
  assert.match(logger.lines.join(), /WARNING: user root .* all privileges/);
});
