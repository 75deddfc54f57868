import { strict as assert } from "node:assert";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { readConfigText } from "../../../src/config/config_file.ts";
import { exampleText } from "../../../src/config/config_text.ts";
import { settingsOf } from "../../../src/config/values.ts";
import { readShowConfigCommandLine } from "../../../src/config/show_config.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

const KEYS = ["--key-file", "k", "--salt-file", "s"];
const FILES: Readonly<Record<string, FakeFile>> = {
  k: { text: "00112233445566778899aabbccddeeff" },
  s: { text: "00112233445566778899aabbccdd" },
  "/etc/anytun/vpn.yaml": {
    text: `port: 5000
passphrase: "it is one"
route: [10.0.0.0/8, "10.1.0.0/16,10.2.0.0/16"]
no-roaming: true
log:
  - "file:3,/a path/#1"
  - stderr:4
`,
  },
};

function show(argv: readonly string[], files = FILES) {
  const read = fakeHostFiles(files);
  const line = readShowConfigCommandLine(argv, RUNTIME, read);
  assert.equal(line.kind, "run", JSON.stringify(line));
  return { ...line.options, warnings: line.warnings };
}

Deno.test("each option is shown with where it comes from", () => {
  const { text, fault } = show(["vpn", "-o", "7", "-D"]);
  assert.equal(fault, undefined);
  for (
    const line of [
      "# anytun with /etc/anytun/vpn.yaml",
      "port: 5000 # /etc/anytun/vpn.yaml:1",
      "# passphrase: **** # /etc/anytun/vpn.yaml:2",
      "route:",
      "  - 10.0.0.0/8 # /etc/anytun/vpn.yaml:3",
      "  - 10.1.0.0/16,10.2.0.0/16 # /etc/anytun/vpn.yaml:3",
      '  - "file:3,/a path/#1" # /etc/anytun/vpn.yaml:6',
      "no-roaming: true # /etc/anytun/vpn.yaml:4",
      "remote-port: 7 # argument",
      "nodaemonize: true # argument",
      "allow-wrap: false # default",
      "cipher: aes-ctr-128 # default",
      "# remote-host: <host> # not given",
    ]
  ) {
    assert.ok(text.split("\n").includes(line), `${line} in ${text}`);
  }
  assert.ok(!text.includes("it is one"));
});

Deno.test("what an argument takes back from the file is shown as it is without it", () => {
  const back = ["--no-roaming=false", "--port", "", "--passphrase", "", "-D"];
  const { text } = show(["vpn", ...back, ...KEYS]);
  for (
    const line of [
      "no-roaming: false # argument",
      "port: 4444 # default",
      "# passphrase: <text> # not given",
    ]
  ) assert.ok(text.split("\n").includes(line), `${line} in ${text}`);
});

Deno.test("every option is there, but for those that are no part of a file", () => {
  const { text } = show(KEYS);
  for (const { long } of Object.values(anytunTable)) {
    const isThere = new RegExp(`^(# )?${long.slice(2)}:`, "m").test(text);
    const isCall = ["--help", "--version", "--config"].includes(long);
    assert.equal(isThere, !isCall, long);
  }
});

Deno.test("what is shown is a config file that says the same", () => {
  const lines = [
    [],
    ["-D", "-p", "1", "-r", "::1", "-n", "10.0.0.1/24", "-n", "fd00::1/64"],
    [
      "-M",
      "unix:/run/a b,[::1]:7",
      "-R",
      "10.0.0.0/8",
      "-L",
      "syslog:3,a,user",
    ],
    ["-k", "aes-ctr", "-c", "null", "-a", "null", "-s", "auto", "-d", "tap%d"],
    ["-e", "right", "-w", "7", "-x", '/a "quoted" \\ script: #1', "-d", "tun7"],
  ];
  for (const argv of lines) {
    const { text } = show([...KEYS, ...argv]);
    const files = fakeHostFiles({ ...FILES, "/b.yaml": { text } });
    const read = (argv: readonly string[]) => {
      const line = readAnytunCommandLine(argv, RUNTIME, files);
      assert.equal(line.kind, "run", JSON.stringify(line));
      return line.options;
    };
    const { name: _, configFile, ...others } = read(["--config", "/b.yaml"]);
    assert.equal(configFile, "/b.yaml");
    const { name: _1, configFile: _2, ...first } = read([...KEYS, ...argv]);
    assert.deepEqual(others, first);
  }
});

Deno.test("no file acts on the terminal that shows it, and it is shown as it is", () => {
  const path = "/tunnels/\x9b31m\u202e/vpn.yaml";
  const log = "file:3,/a\x9b2J\u202e/\u{e0001}\u2028";
  const yaml = `passphrase: x\nlog: ${JSON.stringify(log)}\n`;
  const { text } = show(["--config", path], { [path]: { text: yaml } });
  assert.doesNotMatch(text, /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
  const bytes = new TextEncoder().encode(text);
  const given = readConfigText(
    anytunTable,
    { path, format: "yaml", bytes },
  );
  assert.equal(given.log?.[0]?.text, log);
});

Deno.test("the file of a Debian tunnel is shown as YAML", () => {
  const config = "/etc/anytun/p2p/config";
  const { text } = show(["p2p"], {
    [config]: { text: "role alice\npassphrase x\nport 4445\n" },
    "/etc/anytun/p2p/post-up.sh": { text: "" },
  });
  assert.match(text, /^role: alice # \/etc\/anytun\/p2p\/config:1$/m);
  assert.match(text, /^port: 4445 # .*config:3$/m);
  const script = "/etc/anytun/p2p/post-up.sh";
  assert.ok(text.includes(`post-up-script: ${script} # ${script}\n`));
});

Deno.test("options are shown also where a start would refuse them", () => {
  const { text, fault } = show(["-r", "h"]);
  assert.match(text, /^remote-host: h # argument$/m);
  assert.match(fault ?? "", /^Cannot derive session keys/);
});

Deno.test("options of other programs are shown by name", () => {
  const { text } = show(["--for", "controld", "-f", "x"]);
  assert.match(text, /^# anytun-controld without a config file$/m);
  assert.match(text, /^file: x # argument$/m);
});

Deno.test("options can be shown with what they do", () => {
  const { text } = show(["vpn", "--explain", "-o", "7"]);
  assert.ok(text.includes("\n## Network\n"));
  assert.ok(
    text.includes("\n\n# port of the peer\nremote-port: 7 # argument\n"),
  );
  const files = fakeHostFiles({ ...FILES, "/b.yaml": { text } });
  const argv = ["--config", "/b.yaml", ...KEYS];
  assert.equal(readAnytunCommandLine(argv, RUNTIME, files).kind, "run");
});

Deno.test("the example of a file has every option, and each line is right", () => {
  const example = exampleText(anytunTable);
  const values = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const file = { path: "/e.yaml", format: "yaml", bytes } as const;
    return settingsOf(anytunTable, [readConfigText(anytunTable, file)]).values;
  };
  const defaults = settingsOf(anytunTable, []).values;
  assert.deepEqual(values(example), defaults);
  const active = example.replaceAll(/^#(?=[a-z])/gm, "");
  assert.notEqual(active, example);
  assert.deepEqual(values(active), defaults, "as they stand there");
  for (const { long } of Object.values(anytunTable)) {
    const isThere = new RegExp(`^# ?${long.slice(2)}:`, "m").test(example);
    assert.equal(
      isThere,
      !["--help", "--version", "--config"].includes(long),
      long,
    );
  }
});

Deno.test("what is no option, no program or a second name is refused", () => {
  const refusal = (...argv: string[]) => {
    const files = fakeHostFiles(FILES);
    const line = readShowConfigCommandLine(argv, RUNTIME, files);
    assert.equal(line.kind, "error");
    return line.stderr;
  };
  assert.match(refusal("vpn", "--prot", "1"), /did you mean --port\?\nsee any/);
  assert.match(refusal("--for", "x"), /--for needs anytun, anytun-config, any/);
  assert.match(refusal("vpn", "w"), /give one name/);
  assert.match(refusal("vpn", "--config", "w"), /give one name/);
  const help = readShowConfigCommandLine(["-h"], RUNTIME, fakeHostFiles({}));
  assert.equal(help.kind, "print");
});
