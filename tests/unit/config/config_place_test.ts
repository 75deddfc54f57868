import { strict as assert } from "node:assert";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { findConfig } from "../../../src/config/config_place.ts";
import { OptionFault } from "../../../src/config/fault.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const FILE: FakeFile = { text: "" };

/** A line of anytun with files. */
function read(files: Readonly<Record<string, FakeFile>>, ...argv: string[]) {
  return readAnytunCommandLine(argv, RUNTIME, fakeHostFiles(files));
}

function find(given: string, ...paths: readonly string[]) {
  const files = Object.fromEntries(paths.map((path) => [path, FILE]));
  const place = findConfig(given, fakeHostFiles(files));
  const { path, format, name, folder } = place;
  return [path, format, name, folder];
}

Deno.test("a bare name is a file in /etc/anytun, ours before Debian's", () => {
  const [ours, debian] = ["/etc/anytun/a.yaml", "/etc/anytun/a/config"];
  assert.deepEqual(find("a", ours, debian), [ours, "yaml", "a", undefined]);
  assert.deepEqual(find("a", debian), [
    debian,
    "lines",
    "a",
    "/etc/anytun/a",
  ]);
  assert.deepEqual(
    find("to-b.example", "/etc/anytun/to-b.example.yaml")[2],
    "to-b.example",
  );
});

Deno.test("a name that is nowhere is a fault that says where it was sought", () => {
  assert.throws(() => find("a"), (error) => {
    assert.ok(error instanceof OptionFault);
    assert.match(
      error.message,
      /'a' \(--config\).*\/etc\/anytun\/a\.yaml nor \/etc\/anytun\/a\/config; .*\.\/a$/,
    );
    return true;
  });
});

Deno.test("a path is the file itself, and its name that of the instance", () => {
  const none = undefined;
  assert.deepEqual(find("/x/b.yaml"), ["/x/b.yaml", "yaml", "b", none]);
  assert.deepEqual(find("b.yml"), ["/home/b.yml", "yaml", "b", none]);
  assert.deepEqual(find("./b"), ["/home/b", "yaml", "b", none]);
  assert.deepEqual(find("/x/b/config"), ["/x/b/config", "lines", "b", "/x/b"]);
  assert.deepEqual(
    find("/x/s/conf.d/c1"),
    ["/x/s/conf.d/c1", "lines", "c1", none],
  );
});

Deno.test("the name of an instance is always one part of a path", () => {
  for (const path of ["/", "/config", "/..", "/.", "/../config", "/a/", ""]) {
    const name = String(find(`/${path}`)[2]);
    assert.match(name, /^[^/]+$/);
    assert.ok(![".", ".."].includes(name), path);
  }
});

const DEBIAN = `
## main options
role alice   # of two
  type\ttun\r
ifconfig 192.168.223.1/30
passphrase Creating_P2P#not_this
log syslog:3,anytun-p2p-a,daemon
log stderr:1
remote-host h
nodaemonize
window-size 7
`;

Deno.test("a file of Debian's package is read as its launcher does", () => {
  const files = {
    "/etc/anytun/p2p/config": { text: DEBIAN, isPublic: true },
    "/etc/anytun/p2p/post-up.sh": FILE,
  };
  const { options, warnings } = runOf(read(files, "--config", "p2p"));
  assert.equal(options.role, "left");
  assert.equal(options.remoteHost, "h");
  assert.equal(options.secrets?.passphrase, "Creating_P2P");
  assert.equal(options.logTargets.length, 2);
  assert.equal(options.foreground, true);
  assert.equal(options.postUp?.script, "/etc/anytun/p2p/post-up.sh");
  assert.equal(options.name, "p2p");
  assert.match(warnings.join(), /others can read the secrets in/);
  const own = runOf(read(files, "--config", "p2p", "-x", "/bin/true"));
  assert.equal(own.options.postUp?.script, "/bin/true");
});

Deno.test("the script that a Debian file names comes before the one beside it", () => {
  const files = {
    "/t/config": { text: `${DEBIAN}post-up-script /own\n` },
    "/t/post-up.sh": FILE,
  };
  const { options } = runOf(read(files, "--config", "/t/config"));
  assert.equal(options.postUp?.script, "/own");
});

const FAULTS: Readonly<Record<string, RegExp>> = {
  "port x": /^\/t\/config:1:6: Cannot use port 'x': it needs/,
  "remote-host a b": /:1:15: remote-host: there is more than one value/,
  "nodaemonize true": /:1:1: nodaemonize takes no value/,
  "  port": /:1:3: port needs a value/,
  "mux 1\nmux 2": /:2:1: mux is there a second time/,
  "remotehost a": /did you mean remote-host\?/,
};

for (const [text, expected] of Object.entries(FAULTS)) {
  Deno.test(`a file of lines of ${JSON.stringify(text)} is refused`, () => {
    const files = { "/t/config": { text } };
    assert.match(faultOf(read(files, "--config", "/t/config")), expected);
  });
}
