import { strict as assert } from "node:assert";
import { readCommandLine } from "../../../src/config/command_line.ts";
import { sourceOf, sourceRows } from "../../../src/config/source.ts";
import { certificateFile } from "../../../lab/certificates.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const text = (name: string) => Deno.readTextFileSync(certificateFile(name));

const URL_TEXT = "https://192.0.2.7/anytun";

function read(...argv: string[]) {
  return readWith(undefined, ...argv);
}

/** @param proxy The variable that names one */
function readWith(proxy: string | undefined, ...argv: string[]) {
  const files = fakeHostFiles(
    {
      "alice.pem": { text: text("alice.pem") },
      "alice.key": { text: text("alice.key") },
      "bob.key": { text: text("bob.key") },
      "ca.pem": { text: text("ca.pem") },
      "password": { text: "secret\n" },
      "empty": { text: "\n" },
    },
    undefined,
    proxy,
  );
  return readCommandLine(
    {
      name: "anytun-controld",
      table: sourceRows,
      sections: [],
      settle: (settings, warn) =>
        sourceOf(settings, { runtime: RUNTIME, files, warn }),
    },
    argv,
    RUNTIME,
  );
}

function run(...argv: string[]) {
  const { options, warnings } = runOf(read(...argv));
  return { ...options, warnings };
}

for (
  const [url, origins, prefix] of [
    ["https://192.0.2.7", ["https://192.0.2.7:2379"], "/anytun"],
    ["https://etcd.example:1/", ["https://etcd.example:1"], "/anytun"],
    [
      "https://a:2379,[2001:db8::7],c:9/vpn/east/",
      ["https://a:2379", "https://[2001:db8::7]:2379", "https://c:9"],
      "/vpn/east",
    ],
  ] as const
) {
  Deno.test(`--source ${url} names members and a prefix`, () => {
    const source = run("--source", url);
    assert.deepEqual(source.origins, origins);
    assert.equal(source.prefix, prefix);
    assert.deepEqual(source.warnings, []);
  });
}

for (
  const url of [
    "etcd.example:2379",
    "ftp://a/b",
    "https://a/b?c",
    "https://a/b#c",
    "https://a/b c",
    "https://a/../b/%2e",
    "https://a:0/b",
    "https://a:65536/b",
    "https://a,,b/c",
    "https://a\n/b",
    "https:///b",
  ]
) {
  Deno.test(`--source ${JSON.stringify(url)} is told what would be right`, () => {
    assert.match(faultOf(read("--source", url)), /--source needs |needs a/);
  });
}

Deno.test("without TLS no proxy gets to hear the keys, not on one host either", () => {
  for (const url of ["http://localhost", "http://127.0.0.1/a"]) {
    assert.match(
      faultOf(readWith("http_proxy", "--source", url)),
      /http_proxy of the environment leads it to a proxy/,
    );
  }
  const { warnings } = runOf(readWith("http_proxy", "--source", URL_TEXT));
  assert.deepEqual(warnings, []);
});

Deno.test("a password in the URL is not shown", () => {
  const fault = faultOf(read("--source", "https://user:word@a/b"));
  assert.match(fault, /https:\/\/\*\*\*\*@a\/b[^]*use --source-user and/);
  assert.doesNotMatch(fault, /word@/);
});

Deno.test("without TLS there is a warning, but not of this host", () => {
  assert.match(
    run("--source", "http://192.0.2.7/a").warnings.join(),
    /--source http:\/\/192\.0\.2\.7\/a is not encrypted/,
  );
  for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
    assert.deepEqual(run("--source", `http://${host}/a`).warnings, []);
  }
});

Deno.test("certificate, authority, user and password are read from files", () => {
  const { tls, login } = run(
    ...["--source", URL_TEXT, "--source-ca", "ca.pem"],
    ...["--source-cert", "alice.pem", "--source-key", "alice.key"],
    ...["--source-user", "operator", "--source-password-file", "password"],
  );
  assert.equal(tls?.authority, text("ca.pem"));
  assert.equal(tls?.identity?.certificate, text("alice.pem"));
  assert.deepEqual(login, { name: "operator", password: "secret" });
});

for (
  const [argv, fault] of [
    [["--source-ca", "ca.pem"], /--source-ca alone: add --source$/m],
    [["--source-user", "a"], /--source-user alone: add --source$/m],
    [
      ["--source", URL_TEXT, "--source-cert", "alice.pem"],
      /--source-cert 'alice.pem': add --source-key/,
    ],
    [
      ["--source", URL_TEXT, "--source-key", "alice.key"],
      /--source-key 'alice.key': add --source-cert/,
    ],
    [
      [
        ...["--source", URL_TEXT, "--source-ca", "ca.pem"],
        ...["--source-key", "alice.key"],
      ],
      /--source-key 'alice.key': add --source-cert/,
    ],
    [
      [
        ...["--source", URL_TEXT, "--source-cert", "alice.pem"],
        ...["--source-key", "bob.key"],
      ],
      /'bob.key': it is not the key of the certificate in 'alice.pem'/,
    ],
    [
      ["--source", "http://127.0.0.1/a", "--source-ca", "ca.pem"],
      /http:\/\/127.0.0.1:2379 of --source has no TLS, use https/,
    ],
    [
      ["--source", URL_TEXT, "--source-user", "a"],
      /--source-user 'a' alone: add --source-password-file/,
    ],
    [
      ["--source", URL_TEXT, "--source-password-file", "password"],
      /--source-password-file alone: add --source-user/,
    ],
    [
      [
        ...["--source", URL_TEXT, "--source-user", "a"],
        ...["--source-password-file", "empty"],
      ],
      /--source-password-file\): it must be a text that is not empty/,
    ],
  ] as const
) {
  Deno.test(`${argv.join(" ")} is refused`, () => {
    assert.match(faultOf(read(...argv)), fault);
  });
}
