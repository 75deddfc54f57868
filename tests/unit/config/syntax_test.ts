import assert from "node:assert/strict";
import fc from "fast-check";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { readConfigCommandLine } from "../../../src/config/config.ts";
import { namesOf } from "../../../src/config/option.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

function read(argv: readonly string[]) {
  return readAnytunCommandLine(argv, RUNTIME, fakeHostFiles());
}

/** The lines on standard error of a command line with a syntax error. */
function syntaxError(...argv: string[]): string[] {
  const result = read(argv);
  assert.equal(result.kind, "error", JSON.stringify(result));
  assert.equal(result.status, 255);
  const end = "\nsee anytun --help\n";
  assert.ok(result.stderr.endsWith(end), result.stderr);
  return result.stderr.slice(0, -end.length).split("\n");
}

/** The first two lines of a syntax error: the fault and its place. */
function report(shown: string, offset: number): string[] {
  return [`syntax error: ${shown}`, " ".repeat(14 + offset) + "^"];
}

Deno.test("a syntax error shows what is wrong and where", () => {
  const cases: ReadonlyArray<
    readonly [argv: string[], shown: string, offset: number]
  > = [
    [["--bogus"], "--bogus", 0],
    [["foo"], "foo", 0],
    [[""], "", 0],
    [["-p"], "-p", 2],
    [["--port"], "--port", 6],
    [["-r", "-x"], "-r -x", 3],
    [["-m", "-1"], "-m -1", 3],
    [["-n", "10.0.0.1"], "10.0.0.1", 8],
    [["-n", ""], "", 0],
    [["-L", "foo"], "foo", 0],
    [["-L", ""], "", 0],
    [["-L", "stdout:"], "stdout:", 7],
    [["-L", "stdout:x3"], "stdout:x3", 7],
    [["-L", "stdout:3xyz"], "stdout:3xyz", 8],
    [["-L", "stdout:12 4"], "stdout:12 4", 9],
    [["-R", "10.0.0.0"], "10.0.0.0", 8],
    [["-R", "10.0.0.0/8,"], "", 0],
    [["-R", "10.0.0.0/8,11"], "11", 2],
    [["-M", "[::1"], "[::1", 4],
    [["-M", "[::1]:"], "[::1]:", 5],
    [["-M", "[::1]x5"], "[::1]x5", 5],
    [["-X", "[]"], "[]", 2],
    [["-M", "a:1,b[x"], "b[x", 1],
    [["-p", "abc"], "-p abc", 3],
    [["--port", "abc"], "--port abc", 7],
    [["--no-roaming=no"], "--no-roaming=no", 13],
    [["--no-roaming="], "--no-roaming=", 13],
    // With its value as an argument of its own, or none.
    [["--port=5"], "--port=5", 0],
    [["-D=false"], "-D=false", 0],
    [["--help=false"], "--help=false", 0],
    [["=true"], "=true", 0],
  ];
  for (const [argv, shown, offset] of cases) {
    assert.deepEqual(syntaxError(...argv).slice(0, 2), report(shown, offset));
  }
});

Deno.test("a flag takes true or false behind its name", () => {
  const [, , hint] = syntaxError("--no-roaming=no");
  assert.equal(hint, "--no-roaming needs true or false, or nothing behind it");
  const result = read(["-E", "x", "--nodaemonize=true", "--no-roaming=false"]);
  assert.equal(result.kind, "run");
  assert.deepEqual(
    [result.options.foreground, result.options.noRoaming],
    [true, false],
  );
});

Deno.test("a number is decimal, whole and in range", () => {
  const ranges: ReadonlyArray<readonly [string, number, number]> = [
    ["--port", 0, 65535],
    ["--remote-port", 1, 65535],
    ["--mux", 0, 65535],
    ["--window-size", 0, 1048576],
    ["--auth-tag-length", 0, 4294967295],
    ["--mtu", 68, 65535],
    ["--start-timeout", 0, 86400],
  ];
  for (const [name, min, max] of ranges) {
    const hint = `${name} needs a decimal number from ${min} to ${max}`;
    const right = [min, max, `00${max}`];
    for (const value of right) {
      const { kind } = read(["-D", "-E", "x", name, String(value)]);
      assert.equal(kind, "run", `${name} ${value}`);
    }
    const below = min === 0 ? [] : [String(min - 1)];
    const wrong = [String(max + 1), "12abc", "0x10", "1e3", "+1", " 1", "1.0"];
    for (const value of [...below, ...wrong]) {
      assert.equal(syntaxError(name, value)[2], hint, `${name} ${value}`);
    }
  }
});

Deno.test("a sender id is a number, a range of them, or auto", () => {
  const ids = (...argv: string[]) => {
    const result = read(["-D", "-E", "x", ...argv]);
    assert.equal(result.kind, "run", argv.join(" "));
    return result.options.senderIds;
  };
  const any = { first: 0, last: 65535 };
  assert.deepEqual(ids("-s", "7"), { first: 7, last: 7 });
  assert.deepEqual(ids("-s", "65535"), { first: 65535, last: 65535 });
  assert.deepEqual(ids("-s", "256-511"), { first: 256, last: 511 });
  assert.deepEqual(ids("-s", "9-9"), { first: 9, last: 9 });
  assert.deepEqual(ids("-s", "auto"), any);
  const hint = "--sender-id needs a decimal number from 0 to 65535, a range " +
    "of them such as 256-511, or auto";
  const wrong = ["65536", "12abc", "0x10", "1-", "2-1", "1-65536"];
  for (const value of [...wrong, "1-2-3", "1..2", "1 - 2", "AUTO"]) {
    assert.equal(syntaxError("--sender-id", value)[2], hint, value);
  }
});

Deno.test("a host is a name or an address, and nothing more", () => {
  for (const host of ["vpn", "a-b.example", "_x", "192.0.2.1", "fe80::1%2"]) {
    assert.equal(read(["-D", "-E", "x", "-r", host]).kind, "run", host);
  }
  for (const host of ["a b", "a:1", "[::1]", "[::1]:1", "a/b", "::g", "ä\n"]) {
    const [, , hint] = syntaxError("-r", host);
    assert.match(hint ?? "", /^-r needs a host name, or an address without/);
  }
});

Deno.test("names of algorithms are case sensitive and known", () => {
  const names = "null, aes-ctr, aes-ctr-128, aes-ctr-192 or aes-ctr-256";
  for (const value of ["AES-CTR", "aes-ctr-64", "toString"]) {
    assert.equal(syntaxError("-c", value)[2], `-c needs ${names}`);
    assert.equal(syntaxError("-k", value)[2], `-k needs ${names}`);
  }
  assert.equal(syntaxError("-a", "SHA1")[2], "-a needs null or sha1");
  assert.equal(syntaxError("-t", "tu")[2], "-t needs tun or tap");
});

Deno.test("-L takes the targets that exist", () => {
  const targets = (value: string) => {
    const result = read(["-D", "-E", "x", "-L", value]);
    assert.equal(result.kind, "run", value);
    return result.options.logTargets;
  };
  assert.deepEqual(targets("stdout:03"), [{ kind: "stdout", level: 3 }]);
  assert.deepEqual(targets("stderr:0,x"), [{ kind: "stderr", level: 0 }]);
  assert.deepEqual(targets("stdout:99"), [{ kind: "stdout", level: 5 }]);
  for (const value of ["file:2", "file:2,"]) {
    assert.deepEqual(targets(value), [
      { kind: "file", level: 2, path: "anytun.log" },
    ]);
  }
  assert.deepEqual(targets("file:2,a:b,c"), [
    { kind: "file", level: 2, path: "a:b" },
  ]);
  const syslog = { kind: "syslog", level: 3 };
  assert.deepEqual(targets("syslog:3"), [
    { ...syslog, ident: undefined, facility: "daemon" },
  ]);
  assert.deepEqual(targets("syslog:3,vpn,local7"), [
    { ...syslog, ident: "vpn", facility: "local7" },
  ]);
  for (const value of [":3", "STDOUT:3", "eventlog:3"]) {
    assert.match(syntaxError("-L", value)[2] ?? "", /stdout, stderr, file and/);
  }
  for (const facility of ["nofac", "toString", "DAEMON"]) {
    assert.match(
      syntaxError("-L", `syslog:3,x,${facility}`)[2] ?? "",
      /one of the syslog facilities user, mail, daemon/,
    );
  }
});

Deno.test("--log-format is text or json", () => {
  const result = read(["-D", "-E", "x", "--log-format", "json"]);
  assert.equal(result.kind, "run");
  assert.equal(result.options.logFormat, "json");
  const [, , hint] = syntaxError("--log-format", "xml");
  assert.equal(hint, "--log-format needs text or json");
});

Deno.test("a syntax error is a few lines, with a way to the help of its program", () => {
  const error = { kind: "error", status: 255 };
  assert.deepEqual(read(["--prot"]), {
    ...error,
    stderr: "syntax error: --prot\n              ^\n" +
      "did you mean --port?\nsee anytun --help\n",
  });
  const config = readConfigCommandLine(["foo"], RUNTIME, fakeHostFiles());
  assert.deepEqual(config, {
    ...error,
    stderr: "syntax error: foo\n              ^\nsee anytun config --help\n",
  });
});

Deno.test("help and version act when they are met", () => {
  assert.equal(read(["-h", "--bogus"]).kind, "print");
  assert.equal(read(["--version", "-p", "abc"]).kind, "print");
  assert.equal(read(["-D", "-4", "-6", "-h"]).kind, "print");
  assert.equal(read(["--bogus", "-h"]).kind, "error");
  assert.equal(read(["-p", "abc", "-h"]).kind, "error");
});

Deno.test("a misspelt option is answered with the nearest one", () => {
  const hint = (argument: string) => syntaxError(argument)[2];
  assert.equal(hint("--prot"), "did you mean --port?");
  assert.equal(hint("--remotehost"), "did you mean --remote-host?");
  assert.equal(hint("--auth-tag-lenght=4"), "did you mean --auth-tag-length?");
  assert.equal(hint("-port"), "did you mean --port?");
  assert.equal(hint("--rout"), "did you mean --route?");
  assert.equal(hint("-z"), undefined);
  assert.equal(hint("--"), undefined);
});

Deno.test("an attached value is refused, but understood", () => {
  const hint = "must be an argument of its own";
  assert.deepEqual(syntaxError("--port=4444"), [
    ...report("--port=4444", 0),
    `the value of --port ${hint}`,
  ]);
  assert.deepEqual(syntaxError("-p4444"), [
    ...report("-p4444", 0),
    `the value of -p ${hint}`,
  ]);
});

Deno.test("an argument cannot add lines to an error", () => {
  assert.deepEqual(syntaxError("-L", "\x1b[2J\n:x").slice(0, 2), [
    "syntax error: \\x1b[2J\\n:x",
    " ".repeat(14 + "\\x1b[2J\\n:".length) + "^",
  ]);
  const result = read(["-D", "-E", "x", "-d", "a\nb"]);
  assert.equal(result.kind, "error");
  assert.match(result.stderr, /^[^\n]*'a\\nb'[^\n]*\n$/);
});

Deno.test("secrets are never shown, however they are mistyped", () => {
  const secret = "hunter2";
  const lines: string[][] = [
    ["-E", `-${secret}`],
    ["-K", secret],
    ["-A", secret],
    ["-A", "1234567890abcdefabcdefhunter2"],
    ["--key", `-${secret}`],
    [`-E${secret}`],
    [`-E=${secret}`],
    [`-K${secret}`],
    [`-E${secret}=${secret}`],
    [`--passphrase=${secret}`],
    [`--passphrse=${secret}`],
    [`-passphrase=${secret}`],
    [`-pasphrase=${secret}`],
    ["-E", "correct", secret],
    ["--passphrase", "correct", secret, "horse"],
    ["-D", "-K", "00", "-E", secret],
    ["-D", "-E", secret, "-d", "vpn"],
    ["-D", "-E", secret, "--passphrase-file", "file"],
  ];
  for (const argv of lines) {
    const result = read(argv);
    assert.equal(result.kind, "error", argv.join(" "));
    const shown = result.stderr;
    assert.ok(!shown.includes(secret), `${argv.join(" ")}: ${shown}`);
  }
});

Deno.test("the length of a secret is not shown either", () => {
  assert.deepEqual(syntaxError("-E", "-x"), syntaxError("-E", "-xyz"));
  assert.deepEqual(syntaxError("-Ex"), syntaxError("-Exyz"));
});

Deno.test("no option has the name of another", () => {
  const names = Object.values(anytunTable).flatMap(namesOf);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("the help text has every option, in 80 columns", () => {
  const result = read(["--help"]);
  assert.equal(result.kind, "print");
  assert.match(result.text, /^USAGE:\nanytun \[options\]\n\nGeneral:\n/);
  const lines = result.text.split("\n");
  for (const line of lines) {
    assert.ok(line.length <= 80, line);
    assert.equal(line, line.trimEnd());
  }
  for (const option of Object.values(anytunTable)) {
    const names = namesOf(option).join(", ");
    const found = lines.filter((line) =>
      line.trimStart() === names || line.trimStart().startsWith(`${names} `)
    );
    assert.equal(found.length, 1, names);
  }
  assert.match(result.text, /--port <port> .*\n? .*\(default\s+4444\)/);
});

Deno.test("the help of anytun names the programs, an example, signals and exit status", () => {
  const result = read(["-h"]);
  assert.equal(result.kind, "print");
  const { text } = result;
  for (const word of ["config", "controld", "showtables", "genkey", "help"]) {
    assert.match(text, new RegExp(`^  anytun ${word} +\\S`, "m"), word);
  }
  assert.match(text, /^Example.*:\n {2}anytun --key-file key /m);
  for (const signal of ["TERM", "INT", "QUIT", "HUP", "USR2"]) {
    assert.match(text, new RegExp(`^Signals:\n(.+\n)*.*${signal}`, "m"));
  }
  assert.match(text, /^Exit status:\n {2}0 .*\n {2}255 /m);
});

Deno.test("the example of the help is one that runs", () => {
  const result = read(["-h"]);
  assert.equal(result.kind, "print");
  const [, example = ""] =
    /^ {2}anytun (--key-file .*\n.*)$/m.exec(result.text) ?? [];
  const argv = example.split(/[\s\\]+/);
  const files = fakeHostFiles({
    key: { text: "00".repeat(16) },
    salt: { text: "00".repeat(14) },
  });
  const { kind } = readAnytunCommandLine(argv, RUNTIME, files);
  assert.equal(kind, "run", example);
});

Deno.test("no command line makes the parser throw", () => {
  const names = Object.values(anytunTable).flatMap(namesOf);
  const argument = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom("1", "tun", "10.0.0.1/8", "stdout:3", "", "-", "--", "="),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(argument), (argv) => {
    const result = read(argv);
    if (result.kind !== "error") return;
    assert.notEqual(result.stderr, "");
    assert.equal(result.status, 255);
  }));
});
