import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { confine, forbidPrivileges } from "../../../ffi/process/hardening.ts";
import {
  confineFiles,
  confineProgramFiles,
  type Landlock,
} from "../../../ffi/process/landlock.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { scriptCommand } from "../../../lab/host.ts";
import { deniedCalls, whyNoKernelLog } from "../../../lab/kernel_log.ts";
import { until } from "../../../lab/until.ts";
import { testUnless } from "../../../lab/test_unless.ts";

/** What the hardened process says of itself, with two descriptors too many. */
async function hardened(): Promise<Record<string, unknown>> {
  const run = scriptCommand("hardened.ts", ["-A"]);
  const shell = 'exec 7</dev/zero 8>/dev/full; exec "$@"';
  return await said("/bin/sh", "-c", shell, "sh", ...run);
}

async function said(
  command = "",
  ...args: string[]
): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await new Deno.Command(command, { args })
    .output();
  const text = new TextDecoder();
  const line = text.decode(stdout);
  assert.notEqual(line, "", text.decode(stderr));
  return JSON.parse(line);
}

Deno.test("a hardened process executes nothing, in any thread, and leaves no core", async () => {
  const { before, after, refusal, threads, dumpable, bounded } =
    await hardened();
  assert.equal(before, "started");
  assert.equal(after, "EPERM");
  assert.equal(refusal, undefined);
  assert.deepEqual(threads, ["1,2"], "NoNewPrivs and Seccomp of all threads");
  assert.equal(dumpable, 0);
  assert.equal(bounded, true);
});

Deno.test("a hardened process has nothing open of its caller's, and nothing to write to", async () => {
  const { inherited, writable } = await hardened();
  assert.deepEqual(inherited, []);
  assert.deepEqual(writable, []);
});

Deno.test("what the runtime has mapped of its files is empty, and there when another process cuts them", async () => {
  const [command = "", ...args] = scriptCommand("cut_mapping.ts", ["-A"]);
  const { code, signal, stdout, stderr } = await new Deno.Command(command, {
    args,
  }).output();
  const text = new TextDecoder();
  assert.deepEqual(
    { code, signal },
    { code: 0, signal: null },
    text.decode(stderr),
  );
  assert.deepEqual(JSON.parse(text.decode(stdout)), [0, 0]);
});

Deno.test("what the runtime finds in the places of its files can be locked, so that it does not wait", async () => {
  const { replaced } = await hardened();
  assert.ok(Array.isArray(replaced) && replaced.length > 0);
  // fcntl(2) refuses to lock for writing what cannot be written to.
  assert.ok(replaced.every((isWritable) => isWritable === true));
});

/** That are new enough to be "not implemented". */
const NEW = ["io_uring_setup(nothing)", "pidfd_open(nobody)"];

Deno.test("in the sandbox no thread can do what a daemon does not do, nor execute a program", async () => {
  const run = scriptCommand("sandboxed.ts", ["-A"]);
  const { before, inside, ...rest } = await said(...run) as {
    before: Tries;
    inside: Tries;
  };
  assert.equal(before.spawn, "done");
  assert.equal(inside.spawn, "EPERM");
  for (const thread of ["main", "worker"] as const) {
    const possible = Object.values(before[thread])
      .filter((end) => end === "done");
    assert.ok(possible.length > 3, "some of them do something otherwise");
    for (const [name, end] of Object.entries(inside[thread])) {
      assert.equal(end, NEW.includes(name) ? "ENOSYS" : "EPERM", name);
    }
  }
  assert.deepEqual(rest, {
    pool: {
      before: { ffi: "done", file: "done" },
      inside: { ffi: "denied", file: "EPERM" },
    },
    ...{ refused: { open: 1 }, x32: "denied", works: true },
  });
});

testUnless(
  [whyNoKernelLog()],
  "the kernel's log has what the sandbox denies, but for what libraries try",
  async () => {
    const [command = "", ...args] = scriptCommand("denied.ts", ["-A"]);
    await using process = new Deno.Command(command, { args }).spawn();
    // Long, since the kernel drops records while there are many.
    await until("there are records", 60, () => {
      return deniedCalls(process.pid).length >= 3;
    });
    const number = Deno.build.arch === "x86_64" ? 101 : 117;
    assert.deepEqual(new Set(deniedCalls(process.pid)), new Set([number]));
  },
);

interface Tries {
  readonly main: Record<string, string>;
  readonly worker: Record<string, string>;
  readonly spawn: string;
}

Deno.test("Landlock restricts the calling thread and later ones, and all of them only where the kernel can", async () => {
  const folders = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
  try {
    const run = scriptCommand("landlocked.ts", ["-A"]);
    const { all, single, ...threads } = await said(...run, ...folders);
    if (single !== undefined) return; // a kernel without Landlock
    assert.equal(threads.needed, "written");
    assert.equal(threads.main, "PermissionDenied");
    assert.equal(threads.late, "PermissionDenied");
    // The threads of the runtime are like that one, too.
    const covered = all === undefined;
    assert.equal(threads.early, covered ? "PermissionDenied" : "written");
    if (!covered) assert.match(String(all), /version \d+\) .* single threads/);
  } finally {
    for (const folder of folders) Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("confine() says which call the kernel refuses", () => {
  const libc = openProcessLibc();
  const refusing = {
    ...libc,
    errno: () => Errno.EINVAL,
    process: { ...libc.process, prctlNumber: () => -1, syscall: () => -1 },
  };
  const needs = { appended: [], written: [], removedFrom: [] };
  const refusal = () => confine(refusing, needs);
  assert.equal(refusal(), "Invalid argument (seccomp(), EINVAL)");
  refusing.process.syscall = () => 77;
  assert.equal(refusal(), "thread 77 has a filter of its own");
  assert.equal(
    forbidPrivileges(refusing),
    "Invalid argument (prctl(), EINVAL)",
  );
  libc.close();
});

function bytesOf(given: unknown): Uint8Array<ArrayBuffer> {
  assert.ok(ArrayBuffer.isView(given));
  const { buffer, byteOffset, byteLength } = given;
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

/** What Landlock is asked, by a kernel of this version. */
function askedOf(version: number, failing?: string) {
  const asked: unknown[] = [];
  const answer = (call: string, result: number, what: readonly unknown[]) => {
    asked.push([call, ...what]);
    return call === failing ? -1 : result;
  };
  const open = (): Landlock => ({
    symbols: {
      createRuleset(_, attributes, _size, flags) {
        if (flags === 1) return version;
        const [handled] = new BigUint64Array(bytesOf(attributes).buffer);
        return answer("create", 77, [handled]);
      },
      addRule(_, ruleset, type, rule) {
        const view = new DataView(bytesOf(rule).buffer);
        const [access, fd] = [
          view.getBigUint64(0, true),
          view.getInt32(8, true),
        ];
        return answer("add", 0, [ruleset, type, access, fd]);
      },
      restrictSelf: (_, ruleset, flags) =>
        answer("restrict", 0, [ruleset, flags]),
    },
    close: () => void asked.push(["close"]),
  });
  return { asked, open };
}

// include/uapi/linux/landlock.h
const HANDLED = 0b111_1111_1111_0011n;
const [WRITE, REMOVE, MAKE, TRUNCATE] = [
  1n << 1n,
  1n << 5n,
  1n << 8n,
  1n << 14n,
];
const TSYNC = 1 << 3;

Deno.test("Landlock is asked for folders that are open by themselves, whether their path leads there or not", () => {
  const libc = openProcessLibc();
  const paths: string[] = [];
  const closed: number[] = [];
  const jailed = {
    ...libc,
    errno: () => Errno.EINVAL,
    symbols: {
      ...libc.symbols,
      open(path: unknown) {
        paths.push(new TextDecoder().decode(bytesOf(path).subarray(0, -1)));
        return paths.at(-1) === "/var/log/" ? 40 : -1;
      },
      close: (fd: number) => closed.push(fd),
    },
  };
  const needs = {
    appended: ["/var/log/", "/elsewhere/"],
    written: [5, 6],
    removedFrom: ["/run/"],
  };
  const { asked, open } = askedOf(8);
  assert.equal(confineFiles(jailed, needs, TSYNC, open), undefined);
  assert.deepEqual(paths, ["/var/log/", "/elsewhere/", "/run/"]);
  assert.deepEqual(asked, [
    ["create", HANDLED],
    ["add", 77, 1, WRITE | MAKE, 40],
    ["add", 77, 1, WRITE | MAKE | REMOVE | TRUNCATE, 5],
    ["add", 77, 1, WRITE | MAKE | REMOVE | TRUNCATE, 6],
    ["restrict", 77, TSYNC],
    ["close"],
  ]);
  assert.deepEqual(closed, [40, 77]);
  const failing = askedOf(8, "add");
  const refusal = confineFiles(jailed, needs, TSYNC, failing.open);
  assert.equal(refusal, "Invalid argument (landlock_add_rule(), EINVAL)");
  const calls = failing.asked.map((call) => Array.isArray(call) && call[0]);
  assert.deepEqual(calls, ["create", "add", "close"], "nothing is restricted");
  const old = askedOf(7);
  assert.match(
    confineFiles(jailed, needs, TSYNC, old.open) ?? "",
    /Linux 7\.0/,
  );
  assert.deepEqual(old.asked, [["close"]]);
  libc.close();
});

Deno.test("old kernels are asked for those rights alone that they know, and programs can be executed", () => {
  const libc = openProcessLibc();
  const places = { appended: ["/dev"], written: ["/tmp"], devices: [] };
  const [EXECUTE, SOCKET, REFER] = [1n, 1n << 9n, 1n << 13n];
  const files = WRITE | MAKE | REMOVE | SOCKET;
  const cases = [
    [1, HANDLED & ~EXECUTE & ~REFER & ~TRUNCATE, files],
    [2, HANDLED & ~EXECUTE & ~TRUNCATE, files],
    [3, HANDLED & ~EXECUTE, files | TRUNCATE],
  ] as const;
  for (const [version, handled, access] of cases) {
    const { asked, open } = askedOf(version);
    assert.equal(confineProgramFiles(libc, places, open), undefined);
    const told = asked.map((call) => Array.isArray(call) ? call[3] : call);
    assert.deepEqual(asked[0], ["create", handled]);
    assert.deepEqual(told.slice(1, 3), [WRITE | MAKE, access]);
    assert.deepEqual(asked.at(-2), ["restrict", 77, 0]);
  }
  libc.close();
});

testUnless(
  [Deno.uid() === 0 ? null : "only root can make a jail"],
  "in a jail, folders that were open before are written to, and nothing else is",
  async () => {
    const folder = Deno.makeTempDirSync();
    try {
      for (const name of ["state", "jail"]) Deno.mkdirSync(`${folder}/${name}`);
      const run = scriptCommand("landlocked_jail.ts", ["-A"]);
      const ends = await said(...run, `${folder}/state`, `${folder}/jail`);
      if (ends.refusal !== undefined) return; // a kernel without Landlock
      assert.deepEqual(ends, {
        before: { state: "done", jail: "done" },
        inside: { state: "done", jail: "EACCES" },
      });
      const files = (name: string) =>
        [...Deno.readDirSync(`${folder}/${name}`)].map(({ name }) => name);
      assert.deepEqual(files("state").toSorted(), ["before", "inside"]);
      assert.deepEqual(files("jail"), ["before"]);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);
