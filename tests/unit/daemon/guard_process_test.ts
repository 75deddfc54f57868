import assert from "node:assert/strict";
import { MSG } from "../../../ffi/flags.ts";
import { SocketPair } from "../../../ffi/net/socket_pair.ts";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { writeDescriptor } from "../../../ffi/process/file.ts";
import { openPipe } from "../../../ffi/process/handover.ts";
import { spawn, waitForEnd } from "../../../ffi/process/spawn.ts";
import { fromSource } from "../../../lab/programs.ts";
import { missingCommand } from "../../../lab/missing.ts";
import { testUnless } from "../../../lab/test_unless.ts";
import { until } from "../../../lab/until.ts";
import {
  END,
  GUARD_VARIABLE,
  type GuardSetup,
  READY,
} from "../../../src/daemon/guard_setup.ts";

/** What a pipe takes that nobody reads (pipe(7)). */
const PIPE_BYTES = 1 << 16;

/** One that has nothing to take away, and needs no rights for that. */
const SETUP: GuardSetup = {
  ...{ device: null, addresses: [], identity: null },
  ...{ patience: 700, mainPatience: 5000 },
  ...{ hasScript: false, isConfined: false },
  log: { targets: [], format: "text" },
};

function startGuard(
  libc: ProcessLibc,
  descriptors: readonly number[],
  setup: GuardSetup = SETUP,
  output?: number,
  [path = "", ...args] = fromSource.command,
): number {
  const variables = {
    ...Deno.env.toObject(),
    [GUARD_VARIABLE]: JSON.stringify(setup),
  };
  return spawn(libc, {
    ...{ path, argv: [path, ...args], newSession: true, descriptors },
    ...(output === undefined ? {} : { output }),
    env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  });
}

Deno.test("a guard outlives each signal that a daemon heeds, as a service manager sends it to all of a unit", async () => {
  const libc = openProcessLibc();
  {
    using pair = new SocketPair(libc);
    const pid = startGuard(libc, [pair.far]);
    const heard = new Uint8Array(64);
    let size = -1;
    await until("it is ready", 60, () => {
      size = libc.symbols.recv(pair.near, heard, heard.length, MSG.DONTWAIT);
      return size >= 0;
    });
    assert.equal(new TextDecoder().decode(heard.subarray(0, size)), READY);
    for (
      const signal of [
        ...["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"],
        ...["SIGABRT", "SIGUSR1", "SIGUSR2"],
      ] as const
    ) Deno.kill(pid, signal);
    const end = new TextEncoder().encode(END);
    libc.symbols.send(pair.near, end, end.length, MSG.NOSIGNAL);
    assert.deepEqual(await waitForEnd(libc, pid), { kind: "exit", status: 0 });
  }
  libc.close();
});

/** Starts one that may log to a stream and a file, and kills its daemon. */
async function daemonIsGone(
  libc: ProcessLibc,
  path: string,
  script: number,
  output: number,
): Promise<void> {
  const { near, far } = new SocketPair(libc);
  const pid = startGuard(libc, [far, script], {
    ...SETUP,
    hasScript: true,
    isConfined: true,
    log: {
      targets: [
        { kind: "stdout", level: 3 },
        { kind: "file", level: 3, path },
        { kind: "file", level: 1, path: `${path}.errors` },
      ],
      format: "text",
    },
  }, output);
  libc.symbols.close(far);
  libc.symbols.close(near);
  assert.deepEqual(await waitForEnd(libc, pid), { kind: "exit", status: 0 });
}

function messagesAt(libc: ProcessLibc, fd: number): string[] {
  const messages: string[] = [];
  const bytes = new Uint8Array(1024);
  for (;;) {
    const size = libc.symbols.recv(fd, bytes, bytes.length, MSG.DONTWAIT);
    if (size <= 0) return messages;
    messages.push(new TextDecoder().decode(bytes.subarray(0, size)));
  }
}

const TOLD = new RegExp(
  ` WARNING: the daemon \\(process ${Deno.pid}\\) has ended without a word, as ` +
    "one that is killed: the announce-script is told to withdraw$",
  "m",
);

Deno.test("a guard whose daemon is gone withdraws, and says so in the daemon's log afterwards, also where nobody reads it", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/log`;
  try {
    using pair = new SocketPair(libc);
    await daemonIsGone(libc, path, pair.far, pair.far);
    const [word, line = "", ...more] = messagesAt(libc, pair.near);
    assert.equal(word, "withdraw\n");
    assert.match(line, TOLD);
    assert.deepEqual(more, []);
    assert.match(Deno.readTextFileSync(path), TOLD);
    assert.equal(Deno.readTextFileSync(`${path}.errors`), "", "no error");
    Deno.removeSync(path);
    const { readEnd, writeEnd } = openPipe(libc);
    writeDescriptor(libc, writeEnd, "pipe", new Uint8Array(PIPE_BYTES));
    await daemonIsGone(libc, path, pair.far, writeEnd);
    assert.deepEqual(messagesAt(libc, pair.near), ["withdraw\n"]);
    assert.match(Deno.readTextFileSync(path), TOLD);
    for (const fd of [readEnd, writeEnd]) libc.symbols.close(fd);
    // One that cannot be opened does not keep the others.
    await daemonIsGone(libc, "/none/log", pair.far, pair.far);
    assert.match(messagesAt(libc, pair.near)[1] ?? "", TOLD);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});

/** Without the right to change addresses, whoever runs the test. */
const POWERLESS = [
  ...["/usr/bin/setpriv", "--bounding-set=-net_admin"],
  ...fromSource.command,
];

testUnless(
  [
    missingCommand("setpriv"),
    Deno.uid() === 0 ? null : "only root can give up a right for good",
  ],
  "a guard that the kernel does not let take addresses away says so in the daemon's log",
  async () => {
    const libc = openProcessLibc();
    {
      using pair = new SocketPair(libc);
      const { near, far } = new SocketPair(libc);
      const pid = startGuard(
        libc,
        [far],
        {
          ...SETUP,
          device: "lo",
          addresses: [192, 203].map((first) => {
            return { bytes: [first, 0, 113, 1], length: 32 };
          }),
          log: { targets: [{ kind: "stderr", level: 1 }], format: "text" },
        },
        pair.far,
        POWERLESS,
      );
      for (const fd of [far, near]) libc.symbols.close(fd);
      assert.deepEqual(await waitForEnd(libc, pid), {
        ...{ kind: "exit", status: 0 },
      });
      const [line = "", ...more] = messagesAt(libc, pair.near);
      assert.match(
        line,
        / ERROR: the daemon .* its guard cannot take away 192\.0\.113\.1\/32, 203\.0\.113\.1\/32 from lo: .*(EPERM|not permitted)/,
      );
      assert.deepEqual(more, []);
    }
    libc.close();
  },
);
