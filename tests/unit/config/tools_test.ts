import assert from "node:assert/strict";
import { readConfigCommandLine } from "../../../src/config/config.ts";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import { duration, durationOption } from "../../../src/config/duration.ts";
import { readGenkeyCommandLine } from "../../../src/config/genkey.ts";
import { routes, windowSizeOf } from "../../../src/config/connection.ts";
import { hostPort, places } from "../../../src/config/host_port.ts";
import { BadValue } from "../../../src/config/option.ts";
import { formatPrefix } from "../../../src/net/prefix.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

function readControld(...argv: string[]) {
  return readControldCommandLine(argv, RUNTIME, fakeHostFiles());
}

Deno.test("there is a replay window by default where numbers are kept on purpose", () => {
  const windowSize = undefined;
  assert.equal(windowSizeOf({ windowSize }), 0);
  assert.equal(windowSizeOf({ windowSize, stateDir: "none" }), 0);
  assert.equal(windowSizeOf({ windowSize, stateDir: "numbers" }), 1024);
  assert.equal(windowSizeOf({ windowSize, keyChain: "chain" }), 1024);
  const chain = { keyChain: "chain", stateDir: "none" };
  assert.equal(windowSizeOf({ windowSize, ...chain }), 1024);
});

Deno.test("a replay window that is given is taken, whatever else is", () => {
  const others = [{}, { keyChain: "chain" }, { stateDir: "numbers" }];
  for (const windowSize of [0, 1, 64, 1 << 20]) {
    for (const other of others) {
      assert.equal(windowSizeOf({ windowSize, ...other }), windowSize);
    }
  }
});

Deno.test("hostPort() reads hosts with and without a port", () => {
  const cases: ReadonlyArray<readonly [string, string, number]> = [
    ["a", "a", 2323],
    ["a:1", "a", 1],
    ["a:", "a", 2323],
    ["::1", "::1", 2323],
    ["::1:55", "::1:55", 2323],
    ["[::1]", "::1", 2323],
    ["[::1]:55", "::1", 55],
  ];
  for (const [text, host, port] of cases) {
    assert.deepEqual(hostPort(text), { host, port }, text);
  }
});

Deno.test("hostPort() wants a host, and the number of a port", () => {
  for (
    const text of ["", ":5", "[]:5", "a:sync", "a:0", "a:65536", "[::1]:x"]
  ) {
    assert.throws(() => hostPort(text), {
      name: "BadValue",
      message: "a host, and a port from 1 to 65535",
      element: text,
      offset: 0,
    });
  }
});

Deno.test("hostPort() shows where a bracket goes wrong", () => {
  const cases: ReadonlyArray<readonly [string, number]> = [
    ["[::1", 4],
    ["[::1]:", 5],
    ["[::1]x5", 5],
    ["a[b", 1],
    ["[]", 2],
  ];
  for (const [text, offset] of cases) {
    assert.throws(() => hostPort(text), (error) => {
      assert.ok(error instanceof BadValue);
      assert.equal(error.offset, offset, text);
      assert.equal(error.element, text);
      return true;
    });
  }
});

Deno.test("lists are split at commas", () => {
  assert.deepEqual(places("a,[::1]:5,unix:/run/a"), [
    { host: "a", port: 2323 },
    { host: "::1", port: 5 },
    { path: "/run/a" },
  ]);
  assert.deepEqual(
    routes("10.0.0.0/8,fd00::/8").map(formatPrefix),
    ["10.0.0.0/8", "fd00::/8"],
  );
  assert.throws(() => routes("10.0.0.0/8,"), { name: "BadValue", element: "" });
  assert.throws(() => routes("10.0.0.0/33"), { name: "BadValue" });
});

Deno.test("anytun-config has its defaults, and collects routes", () => {
  const result = readConfigCommandLine(
    ["-E", "x", "-R", "10.0.0.0/8", "-R", "11.0.0.0/8,fd00::/8"],
    RUNTIME,
    fakeHostFiles(),
  );
  assert.equal(result.kind, "run");
  const { logTargets, clients } = result.options;
  const [{ routes, ...others } = assert.fail()] = clients;
  assert.deepEqual(logTargets, [{ kind: "stderr", level: 2 }]);
  assert.deepEqual(routes.map(formatPrefix), [
    "10.0.0.0/8",
    "11.0.0.0/8",
    "fd00::/8",
  ]);
  assert.deepEqual(others, {
    remoteHost: undefined,
    remotePort: 4444,
    family: "any",
    mux: 0,
    windowSize: 0,
    kdPrf: "aes-ctr-128",
    role: "left",
    secrets: { passphrase: "x", key: undefined, salt: undefined },
  });
});

Deno.test("anytun-config warns of secrets among its arguments", () => {
  const key = ["-K", "00".repeat(16), "-A", "00".repeat(14)];
  for (
    const [argv, names] of [[key, ["key", "salt"]], [["-E", "x"], ["pas"]]]
  ) {
    const result = readConfigCommandLine(
      argv ?? [],
      RUNTIME,
      fakeHostFiles(),
    );
    assert.equal(result.kind, "run");
    assert.equal(result.warnings.length, names?.length);
    for (const [index, name] of (names ?? []).entries()) {
      const warning = new RegExp(`^${name}.* is on the command line .*-file$`);
      assert.match(result.warnings[index] ?? "", warning);
    }
  }
});

Deno.test("anytun-config takes no window that its records cannot hold", () => {
  const read = (window: string) =>
    readConfigCommandLine(
      ["-E", "x", "-w", window],
      RUNTIME,
      fakeHostFiles(),
    ).kind;
  assert.equal(read("65535"), "run");
  assert.equal(read("65536"), "error");
});

Deno.test("anytun-controld has its defaults, and needs a file", () => {
  const result = readControld("-f", "conns");
  assert.equal(result.kind, "run");
  assert.deepEqual(result.options, {
    foreground: false,
    startTimeout: 30,
    noSandbox: false,
    name: "anytun",
    configFile: undefined,
    username: undefined,
    groupname: undefined,
    chroot: undefined,
    pidFile: undefined,
    logTargets: [
      {
        ...{ kind: "syslog", level: 3, ident: undefined, facility: "daemon" },
        isDefault: true,
      },
    ],
    logFormat: "text",
    file: "conns",
    clients: undefined,
    keyChains: undefined,
    source: undefined,
    sourceAllowLoss: false,
    stateDir: undefined,
    controlHost: { host: "127.0.0.1", port: 2323 },
    syncTls: undefined,
    syncAnyUser: false,
  });
  const without = readControld();
  assert.equal(without.kind, "error");
  assert.match(without.stderr, /add --file \(-f\)/);
});

Deno.test("anytun-controld has its records from one place", () => {
  const source = ["--source", "https://192.0.2.7/anytun"];
  const one = readControld(...source, "--source-allow-loss");
  assert.equal(one.kind, "run");
  assert.equal(one.options.source?.prefix, "/anytun");
  assert.equal(one.options.sourceAllowLoss, true);
  for (const other of [["-f", "clients"], ["--key-chains", "chains"]]) {
    const both = readControld(...source, ...other);
    assert.equal(both.kind, "error");
    assert.match(
      both.stderr,
      /Cannot use both --source and --(file|key-chains)/,
    );
  }
});

Deno.test("anytun-controld warns of options that do not do what they seem to", () => {
  const warnings = (...argv: string[]) => {
    const result = readControld("-f", "conns", ...argv);
    assert.equal(result.kind, "run");
    return result.warnings;
  };
  assert.deepEqual(warnings("-g", "b"), [
    "--groupname has no effect without --username (-u)",
  ]);
  assert.match(warnings("-C", "/jail").join(), /root can leave the jail/);
  assert.match(warnings("-L", "stdout:3").join(), /--log stdout has no effect/);
  const right = ["-u", "a", "-g", "b", "-C", "/jail", "-L", "file:3"];
  assert.deepEqual(warnings(...right), []);
});

Deno.test("anytun-controld listens where the last -X says", () => {
  const result = readControld(
    ...["-f", "a", "-X", "[::1]:1", "-X", ":2", "-D"],
  );
  assert.equal(result.kind, "run");
  assert.deepEqual(result.options.controlHost, { host: "::", port: 2 });
  assert.deepEqual(result.options.logTargets, [{ kind: "stderr", level: 3 }]);
});

Deno.test("genkey makes keys for every key derivation that has them", () => {
  const read = (...argv: string[]) => readGenkeyCommandLine(argv, RUNTIME);
  const result = read("-k", "aes-ctr");
  assert.equal(result.kind, "run");
  assert.deepEqual(result.options, {
    kdPrf: "aes-ctr-128",
    files: undefined,
  });
  assert.equal(read("-k", "null").kind, "error");
  assert.equal(read("-E", "x").kind, "error");
});

Deno.test("genkey writes both a key and a salt, each to its own file", () => {
  const read = (...argv: string[]) => {
    const result = readGenkeyCommandLine(argv, RUNTIME);
    if (result.kind === "error") return result.stderr;
    assert.equal(result.kind, "run");
    assert.ok("files" in result.options);
    return result.options.files;
  };
  assert.deepEqual(read("--key-file", "k", "--salt-file", "s"), {
    key: "k",
    salt: "s",
  });
  assert.equal(
    read("--key-file", "k"),
    "Cannot use --key-file k alone: add --salt-file\n",
  );
  assert.equal(
    read("--salt-file", "s"),
    "Cannot use --salt-file s alone: add --key-file\n",
  );
  assert.match(
    String(read("--key-file", "a", "--salt-file", "a")),
    /^Cannot use 'a' for both --key-file and --salt-file/,
  );
  assert.match(String(read("--key-file", "-")), /^syntax error/);
});

Deno.test("genkey makes a chain of the interval that is asked for", () => {
  const read = (...argv: string[]) => {
    const result = readGenkeyCommandLine(argv, RUNTIME);
    if (result.kind === "error") return result.stderr;
    assert.equal(result.kind, "run");
    return result.options;
  };
  const chain = (...argv: string[]) => read("--chain", ...argv);
  assert.deepEqual(chain(), { interval: 3600, chainFile: undefined });
  assert.deepEqual(chain("--interval", "90m", "--chain-file", "c"), {
    interval: 5400,
    chainFile: "c",
  });
  const interval = (text: string) => chain("--interval", text);
  assert.match(
    String(interval("59")),
    /--interval needs a duration from 1m to 30d, such as 3600, 90m, 1h or 2d/,
  );
  assert.equal(
    read("--interval", "1h"),
    "Cannot use --interval alone: add --chain\n",
  );
  assert.equal(
    read("--chain-file", "c"),
    "Cannot use --chain-file alone: add --chain\n",
  );
  assert.equal(
    chain("--key-file", "k", "--salt-file", "s"),
    "Cannot use both --chain and --key-file: a chain is in place of key and " +
      "salt; it has a --chain-file\n",
  );
});

Deno.test("durations have units, and are shown in the largest that fits", () => {
  const parse = duration(60, 2_592_000);
  const cases: readonly (readonly [string, number, string])[] = [
    ["60", 60, "1m"],
    ["61s", 61, "61s"],
    ["90m", 5400, "90m"],
    ["3600", 3600, "1h"],
    ["1h", 3600, "1h"],
    ["48h", 172_800, "2d"],
    ["30d", 2_592_000, "30d"],
  ];
  for (const [text, seconds, shown] of cases) {
    assert.equal(parse(text), seconds, text);
    assert.equal(durationOption(seconds), shown);
  }
  assert.equal(durationOption(0), "0");
  for (
    const text of [
      "",
      "h",
      "1.5h",
      "-1h",
      "1 h",
      "1H",
      "1w",
      "31d",
      "59",
      "1h1",
    ]
  ) {
    assert.throws(() => parse(text), BadValue, text);
  }
});
