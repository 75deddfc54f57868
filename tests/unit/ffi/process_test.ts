import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import { readArguments } from "../../../ffi/process/file.ts";
import {
  LineReader,
  memoryFile,
  openPipe,
  takeAll,
} from "../../../ffi/process/handover.ts";
import {
  changeDirectory,
  changeIdentity,
  findGroup,
  findUser,
  groupName,
} from "../../../ffi/process/identity.ts";
import { cString } from "../../../ffi/libc.ts";
import {
  interfaceIndex,
  overwriteArguments,
  readEnvironment,
  workingDirectory,
} from "../../../ffi/process/process.ts";
import { O } from "../../../ffi/flags.ts";
import { FOREVER } from "../../../ffi/poll.ts";
import {
  errorText,
  type ProcessLibc,
  type ProcessSymbols,
} from "../../../ffi/process/libc.ts";
import { readSecretFile } from "../../../ffi/process/secret_file.ts";
import {
  endChild,
  spawn,
  type SpawnOptions,
  waitForEnd,
} from "../../../ffi/process/spawn.ts";
import { statName, statPath } from "../../../ffi/process/stat.ts";
import { UnixDatagram } from "../../../ffi/net/unix_datagram.ts";
import { UnixListener } from "../../../lab/unix_listener.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A shell script with the arguments given, the first as its `$0`. */
function shell(script: string, ...rest: string[]): SpawnOptions {
  const argv = ["sh", "-c", script, ...rest];
  return {
    path: "/bin/sh",
    argv,
    env: [],
    newSession: false,
    descriptors: [],
  };
}

fileTest(
  "spawn() gives arguments and environment, and no others",
  async (libc, folder) => {
    const out = `${folder}/out`;
    const script = 'printf "%s\\n" "$1" "$2"; tr "\\0" "\\n" </proc/$$/environ';
    const pid = spawn(libc, {
      ...shell(`{ ${script}; } >${out}`, "sh", "two words", "ä"),
      env: ["A=1", "B=x y"],
    });
    assert.deepEqual(await waitForEnd(libc, pid), { kind: "exit", status: 0 });
    assert.equal(Deno.readTextFileSync(out), "two words\nä\nA=1\nB=x y\n");
  },
);

fileTest(
  "spawn() closes every descriptor that was not given",
  async (libc, folder) => {
    const given = memoryFile(libc, bytes("handed over"));
    const leaky = libc.symbols.open(cString("/dev/zero"), 0, 0);
    const script = `exec >${folder}/out; cat <&3; echo; ` +
      "readlink /proc/$$/fd/0 /proc/$$/fd/2; ls /proc/$$/fd";
    const pid = spawn(libc, { ...shell(script), descriptors: [given] });
    await waitForEnd(libc, pid);
    libc.symbols.close(leaky);
    libc.symbols.close(given);
    assert.equal(
      Deno.readTextFileSync(`${folder}/out`),
      "handed over\n/dev/null\n/dev/null\n0\n1\n2\n3\n",
    );
  },
);

fileTest(
  "spawn() gives a child the output of this process, if that is what it is told",
  async (libc, folder) => {
    // Whatever standard output is here, this tells it from /dev/null.
    const given = libc.symbols.open(
      cString(`${folder}/out`),
      O.CREAT | O.RDWR,
      0o600,
    );
    for (const output of [1, given]) {
      const pipe = openPipe(libc);
      const script =
        'echo "$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)" >&3';
      const pid = spawn(libc, {
        ...shell(script),
        descriptors: [pipe.writeEnd],
        output,
      });
      libc.symbols.close(pipe.writeEnd);
      const place = Deno.readLinkSync(`/proc/self/fd/${output}`);
      assert.equal(
        text(takeAll(libc, pipe.readEnd)),
        ["/dev/null", place, place, ""].join("\n"),
      );
      await waitForEnd(libc, pid);
    }
    libc.symbols.close(given);
  },
);

fileTest(
  "spawn() makes a session of its own if it is told to",
  async (libc, folder) => {
    const script = `cut -d' ' -f1,6 /proc/$$/stat >${folder}/out`;
    const sessionOf = async (newSession: boolean) => {
      const pid = spawn(libc, { ...shell(script), newSession });
      await waitForEnd(libc, pid);
      const [, session] = Deno.readTextFileSync(`${folder}/out`).split(" ");
      return Number(session) === pid;
    };
    assert.equal(await sessionOf(true), true);
    assert.equal(await sessionOf(false), false);
  },
);

fileTest(
  "spawn() undoes the runtime's ignoring of SIGPIPE",
  async (libc, folder) => {
    const script = `grep SigIgn /proc/$$/status >${folder}/out`;
    await waitForEnd(libc, spawn(libc, shell(script)));
    const [, ignored] = Deno.readTextFileSync(`${folder}/out`).split(/\s+/);
    // Real-time signals above that are the C library's own.
    assert.equal(BigInt(`0x${ignored}`) & 0x7fffffffn, 0n);
  },
);

fileTest("spawn() says why a program cannot be started", (libc, folder) => {
  assert.throws(() => spawn(libc, { ...shell(""), path: `${folder}/none` }), {
    syscall: "posix_spawn",
    code: "ENOENT",
  });
  Deno.writeTextFileSync(`${folder}/file`, "");
  assert.throws(() => spawn(libc, { ...shell(""), path: `${folder}/file` }), {
    code: "EACCES",
  });
});

fileTest("waitForEnd() tells an exit from a signal", async (libc) => {
  const end = (script: string) => waitForEnd(libc, spawn(libc, shell(script)));
  assert.deepEqual(await end("exit 3"), { kind: "exit", status: 3 });
  assert.deepEqual(await end("kill -9 $$"), { kind: "signal", signal: 9 });
});

fileTest("waitForEnd() fails for somebody else's process", async (libc) => {
  await assert.rejects(
    waitForEnd(libc, 1),
    /Cannot find out how process 1 ended/,
  );
});

fileTest("memoryFile() holds the bytes, to be read once", (libc) => {
  const content = crypto.getRandomValues(new Uint8Array(40_000));
  assert.deepEqual(takeAll(libc, memoryFile(libc, content)), content);
});

fileTest(
  "takeAll() reads a pipe until its last writer has gone",
  async (libc) => {
    const { readEnd, writeEnd } = openPipe(libc);
    const pid = spawn(libc, {
      ...shell("echo one >&3; sleep 0.05; echo two >&3"),
      descriptors: [writeEnd],
    });
    libc.symbols.close(writeEnd);
    assert.equal(text(takeAll(libc, readEnd)), "one\ntwo\n");
    await waitForEnd(libc, pid);
  },
);

/** All lines that a reader gives, each with those that came with it. */
async function linesOf(lines: LineReader): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const some = await lines.read(FOREVER);
    if (some === undefined) return all;
    all.push(...some);
  }
}

fileTest("a LineReader gives lines as they come", async (libc) => {
  const { readEnd, writeEnd } = openPipe(libc);
  const pid = spawn(libc, {
    ...shell("printf 'on' >&3; printf 'e\\ntwo\\nthr' >&3; printf 'ee' >&3"),
    descriptors: [writeEnd],
  });
  libc.symbols.close(writeEnd);
  using lines = new LineReader(libc, readEnd);
  assert.deepEqual(await linesOf(lines), ["one", "two", "three"]);
  await waitForEnd(libc, pid);
});

fileTest("a LineReader waits no longer than it is told", async (libc) => {
  const { readEnd, writeEnd } = openPipe(libc);
  using lines = new LineReader(libc, readEnd);
  assert.deepEqual(await lines.read(1), []);
  libc.symbols.write(writeEnd, bytes("one\nt"), 5);
  assert.deepEqual(await lines.read(FOREVER), ["one"]);
  libc.symbols.close(writeEnd);
  assert.deepEqual(await linesOf(lines), ["t"]);
});

fileTest("a LineReader that does not wait gives all that has come", (libc) => {
  const { readEnd, writeEnd } = openPipe(libc);
  using lines = new LineReader(libc, readEnd);
  assert.deepEqual(lines.readReady(), []);
  const long = bytes(`${"x".repeat(3000)}\nb`);
  libc.symbols.write(writeEnd, long, long.length);
  assert.deepEqual(lines.readReady(), ["x".repeat(3000)]);
  assert.deepEqual(lines.readReady(), []);
  libc.symbols.close(writeEnd);
  assert.deepEqual(lines.readReady(), ["b"]);
  assert.equal(lines.readReady(), undefined);
});

fileTest("disposing of a LineReader closes the descriptor", (libc) => {
  const { readEnd, writeEnd } = openPipe(libc);
  new LineReader(libc, readEnd)[Symbol.dispose]();
  assert.equal(libc.symbols.close(readEnd), -1, "it is closed already");
  libc.symbols.close(writeEnd);
});

fileTest("endChild() asks a child to end, or does not", async (libc) => {
  for (const [isForced, signal] of [[false, 15], [true, 9]] as const) {
    const pid = spawn(libc, { ...shell("exec sleep 60"), descriptors: [] });
    endChild(libc, pid, isForced);
    assert.deepEqual(await waitForEnd(libc, pid), { kind: "signal", signal });
  }
});

fileTest("findUser() and findGroup() know the names of the system", (libc) => {
  assert.deepEqual(findUser(libc, "root"), { uid: 0, gid: 0 });
  assert.equal(findUser(libc, "no such user"), undefined);
  assert.equal(findGroup(libc, "root"), 0);
  assert.equal(findGroup(libc, "no such group"), undefined);
  assert.equal(groupName(libc, 0), "root");
  assert.equal(groupName(libc, 4_000_000_000), undefined);
});

/** A library in which every change of identity does what the test wants. */
function pretending(
  libc: ProcessLibc,
  calls: Partial<ProcessSymbols>,
): ProcessLibc {
  const succeed = { setgroups: () => 0, setgid: () => 0, setuid: () => 0 };
  return { ...libc, process: { ...libc.process, ...succeed, ...calls } };
}

fileTest(
  "changeIdentity() gives up groups, group and user in this order",
  (libc) => {
    const calls: string[] = [];
    const noted = pretending(libc, {
      setgroups: (size) => {
        calls.push(`setgroups ${size}`);
        return 0;
      },
      setgid: (gid) => {
        calls.push(`setgid ${gid}`);
        return 0;
      },
      setuid: (uid) => {
        calls.push(`setuid ${uid}`);
        return uid === 0 ? -1 : 0;
      },
    });
    const eperm = { ...noted, errno: () => 1 };
    changeIdentity(eperm, { uid: 7, gid: 8 });
    assert.deepEqual(calls, [
      "setgroups 1",
      "setgid 8",
      "setuid 7",
      "setuid 0",
    ]);
  },
);

fileTest("changeIdentity() fails if root could be had again", (libc) => {
  assert.throws(
    () => changeIdentity(pretending(libc, {}), { uid: 7, gid: 8 }),
    /setuid\(0\) still succeeds/,
  );
});

fileTest("changeIdentity() names the step that is refused", (libc) => {
  for (const call of ["setgroups", "setgid", "setuid"] as const) {
    const refusing = pretending(libc, { [call]: () => -1 });
    assert.throws(() => changeIdentity(refusing, { uid: 7, gid: 8 }), {
      syscall: call,
    });
  }
});

fileTest("changeDirectory() names the folder", (libc, folder) => {
  assert.throws(() => changeDirectory(libc, `${folder}/none`), {
    message:
      `Cannot enter '${folder}/none': No such file or directory (chdir(), ENOENT)`,
  });
});

fileTest("readEnvironment() needs no permission to read variables", (libc) => {
  assert.equal(readEnvironment(libc).get("PATH"), Deno.env.get("PATH"));
});

fileTest("workingDirectory() is the process's own", (libc) => {
  assert.equal(workingDirectory(libc), Deno.cwd());
});

fileTest("interfaceIndex() knows the loopback interface", (libc) => {
  assert.equal(interfaceIndex(libc, "lo"), 1);
  assert.equal(interfaceIndex(libc, "no-such-device"), undefined);
});

fileTest("overwriteArguments() hides an argument from /proc", async () => {
  const main = new URL("../../../ffi/", import.meta.url);
  const script = `
    import { readArguments } from "${main}process/file.ts";
    import { openLibc } from "${main}libc.ts";
    import { overwriteArguments } from "${main}process/process.ts";
    const libc = openLibc();
    const all = readArguments(libc);
    overwriteArguments(libc, [all.length - 2]);
    Deno.stdout.writeSync(
      new TextEncoder().encode(readArguments(libc).slice(-3).join(" ")),
    );
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script, "a", "gehéim", "b"],
    stderr: "piped",
  }).output();
  assert.equal(text(stdout), "a ####### b", text(stderr));
});

fileTest(
  "overwriteArguments() leaves all arguments alone when it is given none",
  (libc) => {
    const before = readArguments(libc);
    overwriteArguments(libc, []);
    assert.deepEqual(readArguments(libc), before);
  },
);

fileTest(
  "readSecretFile() tells who else may read the file",
  (libc, folder) => {
    const path = `${folder}/key`;
    Deno.writeTextFileSync(path, "secret\n");
    for (
      const [mode, isPublic] of [
        [0o600, false],
        [0o640, false],
        [0o644, true],
        [
          0o602,
          true,
        ],
      ] as const
    ) {
      Deno.chmodSync(path, mode);
      const file = readSecretFile(libc, path);
      assert.equal(text(file.bytes), "secret\n");
      assert.equal(file.isPublic, isPublic, mode.toString(8));
    }
  },
);

fileTest(
  "readSecretFile() reads a file of any length, also one that only seems empty",
  (libc, folder) => {
    const path = `${folder}/long`;
    for (const size of [0, 1, 16_383, 16_384, 16_385, 100_000]) {
      const written = new Uint8Array(size).fill(size & 0xff);
      Deno.writeFileSync(path, written);
      assert.deepEqual(readSecretFile(libc, path, 100_000).bytes, written);
    }
    assert.throws(() => readSecretFile(libc, path, 99_999), RangeError);
    assert.ok(readSecretFile(libc, "/proc/self/status").bytes.length > 0);
  },
);

fileTest("statPath() knows a file by all its names", (libc, folder) => {
  for (const name of ["a", "b"]) {
    Deno.writeTextFileSync(`${folder}/${name}`, "");
  }
  Deno.linkSync(`${folder}/a`, `${folder}/link`);
  Deno.symlinkSync(`${folder}/a`, `${folder}/symlink`);
  const identity = (name: string) =>
    statPath(libc, `${folder}/${name}`).identity;
  assert.equal(identity("link"), identity("a"));
  assert.equal(identity("symlink"), identity("a"));
  assert.notEqual(identity("b"), identity("a"));
  const { dev, ino } = Deno.statSync(`${folder}/a`);
  assert.match(identity("a"), new RegExp(`:${ino}$`));
  const [major = 0, minor = 0] = identity("a").split(":").map(Number);
  // makedev(3), for numbers below 256.
  assert.equal(((major << 8) | minor) & 0xffff, dev & 0xffff);
  assert.throws(() => identity("none"), { syscall: "statx", code: "ENOENT" });
});

fileTest(
  "a status tells what a file is, and how many names it has",
  (libc, folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "");
    Deno.linkSync(`${folder}/a`, `${folder}/b`);
    Deno.symlinkSync(`${folder}/a`, `${folder}/symlink`);
    const look = (path: string) => {
      const { kind, names } = statName(libc, path);
      return [kind, names];
    };
    assert.deepEqual(look(`${folder}/a`), ["regular file", 2]);
    assert.deepEqual(look(`${folder}/symlink`), ["symbolic link", 1]);
    assert.equal(statPath(libc, `${folder}/symlink`).kind, "regular file");
    assert.equal(look(folder)[0], "folder");
    assert.deepEqual(look("/dev/null"), ["character device", 1]);
  },
);

fileTest(
  "readSecretFile() refuses a file that is no secret",
  (libc, folder) => {
    Deno.writeFileSync(`${folder}/long`, new Uint8Array(4097));
    assert.throws(() => readSecretFile(libc, `${folder}/long`), RangeError);
    assert.throws(() => readSecretFile(libc, folder), { code: "EISDIR" });
    assert.throws(() => readSecretFile(libc, `${folder}/none`), {
      message:
        `Cannot open '${folder}/none': No such file or directory (open(), ENOENT)`,
    });
  },
);

fileTest("errorText() speaks as the C library does", (libc) => {
  assert.equal(errorText(libc, 2), "No such file or directory");
});

fileTest("a unix datagram needs a listener", (libc, folder) => {
  assert.throws(() => new UnixDatagram(libc, `${folder}/none`), {
    message:
      `Cannot reach '${folder}/none': No such file or directory (connect(), ENOENT)`,
  });
  assert.throws(() => new UnixDatagram(libc, "x".repeat(108)), RangeError);
});

fileTest("a unix datagram reaches its listener", async (libc, folder) => {
  await using listener = new UnixListener(`${folder}/log`);
  using socket = new UnixDatagram(libc, `${folder}/log`);
  socket.send(bytes("hello"));
  assert.equal(await listener.receive(), "hello");
});

fileTest("a unix datagram takes @ for an abstract name", (libc) => {
  const sent: string[] = [];
  const watching: ProcessLibc = {
    ...libc,
    symbols: {
      ...libc.symbols,
      connect(_fd, address, size) {
        assert.ok(address instanceof Uint8Array);
        sent.push(text(address.subarray(2, size)));
        return 0;
      },
    },
  };
  new UnixDatagram(watching, "@name").close();
  new UnixDatagram(watching, "/name").close();
  assert.deepEqual(sent, ["\0name", "/name\0"]);
});

fileTest(
  "a unix datagram finds a listener that has started again",
  async (libc, folder) => {
    const first = new UnixListener(`${folder}/log`);
    using socket = new UnixDatagram(libc, `${folder}/log`);
    await first[Symbol.asyncDispose]();
    Deno.removeSync(`${folder}/log`);
    assert.throws(() => socket.send(bytes("lost")), { code: "ENOENT" });
    await using second = new UnixListener(`${folder}/log`);
    socket.send(bytes("found"));
    assert.equal(await second.receive(), "found");
  },
);

fileTest(
  "a unix datagram does not wait for one that sleeps",
  (libc, folder) => {
    const sleeping = Deno.listenDatagram({
      transport: "unixpacket",
      path: `${folder}/log`,
    });
    using socket = new UnixDatagram(libc, `${folder}/log`);
    assert.throws(() => {
      for (let i = 0; i < 10_000; i++) socket.send(bytes("line"));
    }, { code: "EAGAIN" });
    sleeping.close();
  },
);

fileTest(
  "a unix datagram waits for room once, until there is some",
  (libc, folder) => {
    const sleeping = Deno.listenDatagram({
      transport: "unixpacket",
      path: `${folder}/log`,
    });
    const waited: boolean[] = [];
    let full = false;
    const watching: ProcessLibc = {
      ...libc,
      symbols: {
        ...libc.symbols,
        send(_fd, _bytes, size, flags) {
          waited.push((flags & 0x40) === 0);
          return full ? -1 : size;
        },
      },
      errno: () => Errno.EAGAIN,
      error: (what, syscall) => new SystemError(what, syscall, Errno.EAGAIN),
    };
    using socket = new UnixDatagram(watching, `${folder}/log`, 10);
    const send = () => socket.send(bytes("line"));
    send();
    full = true;
    assert.throws(send, { code: "EAGAIN" });
    assert.throws(send, { code: "EAGAIN" });
    full = false;
    send();
    send();
    assert.deepEqual(waited, [true, true, false, false, true]);
    sleeping.close();
  },
);

fileTest(
  "a unix datagram that waits does so no longer than told",
  (libc, folder) => {
    const sleeping = Deno.listenDatagram({
      transport: "unixpacket",
      path: `${folder}/log`,
    });
    using socket = new UnixDatagram(libc, `${folder}/log`, 10);
    // Without a limit this would wait for ever.
    assert.throws(() => {
      for (let i = 0; i < 10_000; i++) socket.send(bytes("line"));
    }, { code: "EAGAIN" });
    sleeping.close();
  },
);
