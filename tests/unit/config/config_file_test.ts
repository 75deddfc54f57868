import { strict as assert } from "node:assert";
import {
  type AnytunOptions,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { SpotFinder } from "../../../src/config/file_entry.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const SECRET = "correct_horse_battery_staple";

function read(files: Record<string, FakeFile>, ...argv: readonly string[]) {
  return readAnytunCommandLine(argv, RUNTIME, fakeHostFiles(files));
}

/** What comes of a file, with a passphrase from elsewhere. */
function readYaml(text: string, ...argv: readonly string[]) {
  const files = { "/vpn.yaml": { text }, "words": { text: "a b c" } };
  const words = ["-w", "64", "--passphrase-file", "words", "-D"];
  return read(files, "--config", "/vpn.yaml", ...words, ...argv);
}

function options(text: string, ...argv: readonly string[]): AnytunOptions {
  return runOf(readYaml(text, ...argv)).options;
}

function faults(text: string): readonly string[] {
  return faultOf(readYaml(text)).trimEnd().split("\n");
}

Deno.test("the keys of a file are the long names of options, repeated ones lists", () => {
  const given = options(`# a tunnel
remote-host: 192.0.2.1
remote-port: 5555
ifconfig:
  - 10.0.0.1/24
  - "fd00::1/64"
log: [stderr:4, "file:3,/var/log/a"]
no-roaming: true
role: right
cipher: null
`);
  assert.equal(given.remoteHost, "192.0.2.1");
  assert.equal(given.remotePort, 5555);
  assert.deepEqual(given.ifconfig.map(({ length }) => length), [24, 64]);
  assert.deepEqual(given.logTargets.map(({ kind }) => kind), [
    "stderr",
    "file",
  ]);
  assert.equal(given.noRoaming, true);
  assert.equal(given.role, "right");
  assert.equal(given.cipher, "null", "a word as it is written");
  assert.equal(given.name, "vpn");
  assert.equal(given.configFile, "/vpn.yaml");
});

Deno.test("arguments come before the file, and the file before defaults", () => {
  const text = "port: 1\nlog: [stderr:1]\nno-roaming: true\n";
  const given = options(text, "-p", "2", "-L", "stdout:5");
  assert.equal(given.localPort, 2);
  assert.deepEqual(given.logTargets, [{ kind: "stdout", level: 5 }]);
  assert.equal(given.noRoaming, true);
  assert.equal(given.remotePort, 4444);
  assert.equal(options("no-roaming: false\n").noRoaming, false);
});

Deno.test("an argument takes the place of what the file says of the same by another option", () => {
  const files = {
    "/s.yaml": { text: `passphrase: ${SECRET}\nipv4-only: true\n` },
    "/k.yaml": { text: "key-file: k\nsalt-file: s\n" },
    "/c.yaml": { text: "key-chain: none\nlog: [stdout:3, stderr:1]\n" },
    ...{ "words": { text: "a b c" }, "k": { text: "ab".repeat(16) } },
    "s": { text: "cd".repeat(14) },
  };
  const secretsOf = (...argv: string[]) => {
    const result = read(files, "-D", "-w", "64", ...argv);
    assert.equal(result.kind, "run", JSON.stringify(result));
    return result.options;
  };
  const words = secretsOf("--config", "/s.yaml", "--passphrase-file", "words");
  assert.equal(words.secrets?.passphrase, "a b c");
  assert.equal(secretsOf("--config", "/s.yaml", "-6").family, "6");
  const phrase = secretsOf("--config", "/k.yaml", "-E", SECRET);
  assert.deepEqual(phrase.secrets, {
    ...{ passphrase: SECRET, key: undefined, salt: undefined },
  });
  // A salt goes with another key.
  const key = secretsOf("--config", "/k.yaml", "-K", "ef".repeat(16)).secrets;
  assert.deepEqual(key?.key, new Uint8Array(16).fill(0xef));
  assert.deepEqual(key?.salt, new Uint8Array(14).fill(0xcd));
  // What is taken back takes the place of nothing else.
  const kept = ["--config", "/s.yaml", "--ipv6-only=false", "--key-file", ""];
  assert.equal(secretsOf(...kept).family, "4");
  assert.equal(secretsOf(...kept).secrets?.passphrase, SECRET);
  const chain = secretsOf("--config", "/c.yaml", "-E", SECRET, "-U");
  assert.equal(chain.keyChain, undefined);
  assert.equal(chain.secrets?.passphrase, SECRET);
  assert.deepEqual(chain.logTargets, [
    { kind: "stderr", level: 1 },
    { kind: "stdout", level: 5 },
  ]);
  const other = read(files, "-D", "--config", "/k.yaml", "--key-chain", "none");
  assert.equal(other.kind, "error");
  assert.match(other.stderr, /^Cannot use the key chain in 'none'/);
  const both = read(files, "-E", "x", "--passphrase-file", "words");
  assert.equal(both.kind, "error", "of one source one alone can count");
});

Deno.test("an empty file, and one with comments alone, say nothing", () => {
  for (const text of ["", "# nothing\n", "---\n", "---\n...\n", "\ufeff"]) {
    assert.equal(options(text).localPort, 4444);
  }
});

Deno.test("a byte order mark, CR LF and quotes are no part of a value", () => {
  const given = options("\ufeffport: \"55\"\r\nremote-host: 'h'\r\n");
  assert.equal(given.localPort, 55);
  assert.equal(given.remoteHost, "h");
  assert.equal(options("port: 0010\n").localPort, 10, "as an argument is read");
  const single = options("route: 10.0.0.0/8\n");
  assert.equal(single.cluster.routes.length, 1, "one of a list");
});

/** Of a file, the first fault. */
const FAULTS: Readonly<Record<string, RegExp>> = {
  "port: 99999":
    /^\/vpn\.yaml:1:7: Cannot use port '99999': it needs a decimal number from 0 to 65535$/,
  "port: 0x10": /:1:7: Cannot use port '0x10': it needs a decimal/,
  "port: 1_000": /:1:7: Cannot use port '1_000'/,
  "port: 12:30": /:1:7: Cannot use port '12:30'/,
  "mtu: 2001-01-01": /:1:6: Cannot use mtu '2001-01-01'/,
  "\n\nport:\n": /:3:1: port needs a value: <port>, or leave it out$/,
  "port: ''": /:1:7: port needs a value/,
  "port: [1, 2]": /:1:1: port takes one value, not a list$/,
  "port: {a: b}": /:1:7: port: a value must not hold keys/,
  "route: [[10.0.0.0/8]]": /:1:9: route: a value must not hold keys or lists/,
  "route: [10.0.0.0/8, x]": /:1:21: Cannot use route 'x': it needs networks/,
  "route: []": /:1:1: route needs a value/,
  "route: ['']": /:1:9: route needs a value/,
  "no-roaming: yes": /:1:13: Cannot use no-roaming 'yes': it needs true or/,
  "no-roaming: on": /it needs true or false$/,
  "no-roaming: True": /it needs true or false$/,
  "no-roaming:": /:1:1: Cannot use no-roaming: it needs true or false$/,
  'no-roaming: "true"': /needs true or false, without quotes$/,
  "no-roaming: [true]": /:1:1: Cannot use no-roaming: it needs true or/,
  "remote-hots: h":
    /:1:1: there is no option 'remote-hots': did you mean remote-host\?$/,
  "remote_host: h": /did you mean remote-host\?$/,
  "--remote-host: h": /did you mean remote-host\?$/,
  "r: h": /did you mean remote-host\?$/,
  "user: a": /there is no option 'user': did you mean username\?$/,
  "Port: 1": /did you mean port\?$/,
  "device: tun0": /there is no option 'device': did you mean dev\?$/,
  "utterly-different: 1":
    /:1:1: there is no option 'utterly-different': see --help$/,
  "passphrase:bike:":
    /:1:1: there is no option '\*\*\*\*': its value needs a blank before it$/,
  "help: true": /there is no option 'help'/,
  "config: other": /there is no option 'config'/,
  "port: 1\nport: 2":
    /:2:1: port is there a second time, the first is in line 1: remove one$/,
  "route: [10.0.0.0/8]\nroute: [::/0]": /in line 1: write a list/,
  "remote-host: &x h": /:1:14: remote-host: anchors \(&\) and tags/,
  "remote-host: !!str h": /:1:14: remote-host: anchors \(&\) and tags/,
  "remote-host: !x": /:1:14: remote-host: anchors/,
  "interface: &x h\nremote-host: *x": /:1:12: interface: anchors/,
  "&x port: 1": /:1:1: port: anchors/,
  "!!map\nport: 1": /:1:1: anchors/,
  "<<: {port: 1}": /:1:1: there is no option '\*\*\*\*'/,
  "port: 1\n---\nport: 2": /:3:1: there is a second document/,
  "- port: 1": /:1:1: options have to be lines such as port: 4444$/,
  "4444": /:1:1: options have to be lines/,
  "? [port]\n: 1": /:1:3: a key has to be the long name/,
  "remote-host: >\n  h":
    /:2:\d+: remote-host: a value has to stand on one line/,
  "remote-host: h\n  i": /:1:14: remote-host: a value has to stand on one line/,
  'remote-host: "h\n  i"': /:1:14: remote-host: a value has to stand on one/,
  'remote-host: "a\\0b"':
    /:1:14: Cannot use remote-host 'a\\x00b': it must not have control/,
  'state-dir: "a\\ud800"': /must not have control characters, nor half a char/,
  "interface: -x": /:1:12: Cannot use interface '-x': it must not begin/,
  "remote-host: a: b": /:1:15: this is no YAML: bad indentation/,
  "\tport: 1": /:1:\d+: this is no YAML/,
  "port: 'x": /:1:9: this is no YAML: unexpected end of the stream/,
  "port: [": /:1:8: this is no YAML/,
  "remote-host: !nope!x": /:1:\d+: this is no YAML: a value that begins with !/,
  "ab\0c": /:1:3: there is a NUL byte$/,
};

for (const [text, expected] of Object.entries(FAULTS)) {
  Deno.test(`a config file of ${JSON.stringify(text)} is refused`, () => {
    assert.match(faults(text)[0] ?? "", expected);
  });
}

Deno.test("all faults of a file are told at once", () => {
  const all = faults("port: x\nremote-hots: h\nmtu: 1\n");
  assert.deepEqual(all.map((line) => line.split(":")[1]), ["1", "2", "3"]);
});

Deno.test("of a file of another kind, the first faults are told", () => {
  for (
    const text of ["k: v\n".repeat(1000), `route: [${"x, ".repeat(1000)}]`]
  ) {
    const all = faults(text);
    assert.equal(all.length, 21);
    assert.match(all.at(-1) ?? "", /:\d+:\d+: there are more faults from here/);
  }
});

Deno.test("columns count characters, wherever they are asked for", () => {
  const spots = new SpotFinder("\ufeffa😀b\r\nc😀d\n");
  const at = (offset: number) => {
    const { line, column } = spots.at(offset);
    return [line, column];
  };
  for (const offsets of [[0, 1, 2, 4, 7, 8, 10], [10, 8, 7, 4, 2, 1, 0]]) {
    const expected: Readonly<Record<number, readonly number[]>> = {
      ...{ 0: [1, 1], 1: [1, 1], 2: [1, 2], 4: [1, 3] },
      ...{ 7: [2, 1], 8: [2, 2], 10: [2, 3] },
    };
    for (const offset of offsets) {
      assert.deepEqual(at(offset), expected[offset], `at ${offset}`);
    }
  }
});

Deno.test("what is no UTF-8 is refused where it begins", () => {
  const files = {
    ...fakeHostFiles({ "/vpn.yaml": { text: "" } }),
    readConfig: () => ({
      bytes: Uint8Array.of(0x61, 0xc3, 0xa4, 0x0a, 0xe2, 0x82, 0x62, 0xff),
      ...{ isPublic: () => false, writers: [] },
    }),
  };
  const argv = ["--config", "/vpn.yaml"];
  const result = readAnytunCommandLine(argv, RUNTIME, files);
  assert.equal(result.kind, "error");
  assert.equal(result.stderr, "/vpn.yaml:2:1: this is no UTF-8 text\n");
});

Deno.test("a secret may be in a file that nobody else can read", () => {
  const text = `passphrase: -${SECRET}\nnodaemonize: true\nwindow-size: 9\n`;
  const own = read({ "/a.yaml": { text } }, "--config", "/a.yaml");
  assert.equal(own.kind, "run");
  assert.equal(own.options.secrets?.passphrase, `-${SECRET}`);
  assert.deepEqual(own.warnings, []);
  const shared = read(
    { "/a.yaml": { text, isPublic: true } },
    ...["--config", "/a.yaml"],
  );
  assert.equal(shared.kind, "error");
  assert.match(
    shared.stderr,
    /others can read them; use chmod 640 '\/a\.yaml'/,
  );
  const place = read({
    "/a.yaml": { text: "key-file: /k\nsalt-file: /s\n", isPublic: true },
    "/k": { text: "00112233445566778899aabbccddeeff" },
    "/s": { text: "00112233445566778899aabbccdd" },
  }, ...["--config", "/a.yaml"]);
  assert.equal(place.kind, "run", "the place of a secret is none");
});

Deno.test("no fault shows a secret, wherever it got", () => {
  for (
    const text of [
      `key: ${SECRET}`,
      `salt: [${SECRET}]`,
      `passphrase: [${SECRET}, ${SECRET}]`,
      `passphrase: {${SECRET}: ${SECRET}}`,
      `passphrase: !${SECRET}!x x`,
      `passphrase: !<${SECRET}> x`,
      `passphrase: *${SECRET}`,
      `passphrase: &${SECRET} x`,
      `passphrase: ${SECRET}: x`,
      `passphrase: "${SECRET}`,
      `passphrase: "${SECRET}\\0"`,
      `passphrase: |\n  ${SECRET}`,
      `passphrase: ${SECRET}\n  ${SECRET}`,
      `passphrase:\n${SECRET}: x`,
      `passphrase:\n${SECRET}`,
      `"${SECRET} ": x`,
      `%TAG !${SECRET}! !a\n%TAG !${SECRET}! !b\n---\n`,
      `passphrase: ${SECRET}\npassphrase: ${SECRET}`,
    ]
  ) {
    const said = faults(text).join("\n");
    assert.ok(!said.includes(SECRET), `${text}: ${said}`);
  }
});

Deno.test("a file that others can write to is warned of", () => {
  const text =
    "nodaemonize: true\nkd-prf: null\ncipher: null\nauth-algo: null\n";
  const warnings = (...writers: ("all" | "group" | "owner")[]) => {
    const files = { "/a.yaml": { text, writers } };
    const result = read(files, "--config", "/a.yaml");
    assert.equal(result.kind, "run");
    return result.warnings.join("\n");
  };
  assert.doesNotMatch(warnings(), /can change/);
  assert.match(warnings("all"), /^all users can change '\/a.yaml'.*go-w$/m);
  const both = warnings("group", "owner");
  assert.match(both, /^the group of '\/a.yaml' is not root's, .*chmod g-w$/m);
  assert.match(both, /^the owner of '\/a.yaml' is not root, .*chown root$/m);
});

Deno.test("messages about values name their line", () => {
  const result = readYaml("route: [10.0.0.0/8]\nmtu: 1400\n");
  assert.equal(result.kind, "run");
  assert.match(result.warnings.join("\n"), /--mtu in \/vpn\.yaml:2 has no/);
});
