import assert from "node:assert/strict";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { secretArguments } from "../../../src/config/arguments.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const SALT = "0102030405060708090a0b0c0d0e";

function read(
  argv: readonly string[],
  files: Readonly<Record<string, FakeFile>> = {},
  credentialsFolder?: string,
) {
  const secretFiles = fakeHostFiles(files, credentialsFolder);
  const { handedOut } = secretFiles;
  const line = ["-D", "-w", "64", ...argv];
  const result = readAnytunCommandLine(line, RUNTIME, secretFiles);
  return { result, handedOut };
}

/** The secrets in force, in hexadecimal, and the warnings. */
function secrets(...args: Parameters<typeof read>) {
  const { result, handedOut } = read(...args);
  const { options, warnings } = runOf(result);
  const { passphrase, key, salt } = options.secrets ?? {};
  for (const bytes of handedOut) {
    assert.ok(bytes.every((byte) => byte === 0), "what was read is wiped");
  }
  return {
    passphrase,
    key: key?.toHex(),
    salt: salt?.toHex(),
    warnings,
  };
}

function failure(...args: Parameters<typeof read>): string {
  const fault = faultOf(read(...args).result);
  assert.doesNotMatch(fault, /^syntax error/);
  return fault;
}

Deno.test("a passphrase comes from a file, without its line end", () => {
  for (const text of ["two words", "two words\n", "two words\r\n"]) {
    assert.deepEqual(secrets(["--passphrase-file", "f"], { f: { text } }), {
      passphrase: "two words",
      key: undefined,
      salt: undefined,
      warnings: [],
    });
  }
  const { passphrase } = secrets(["--passphrase-file", "f"], {
    f: { text: " a \n\n" },
  });
  assert.equal(passphrase, " a \n");
});

Deno.test("key and salt come from files, with blanks around them", () => {
  const files = { k: { text: ` ${KEY}\n` }, s: { text: `${SALT}\n` } };
  assert.deepEqual(
    secrets(["--key-file", "k", "--salt-file", "s"], files),
    { passphrase: undefined, key: KEY, salt: SALT, warnings: [] },
  );
});

Deno.test("one of the secrets can come from standard input", () => {
  const input = { "": { text: `${KEY}\n` } };
  assert.equal(secrets(["--key-file", "-", "-A", SALT], input).key, KEY);
  assert.match(
    failure(["--key-file", "-", "--salt-file", "-"], input),
    /^Cannot read two secrets from standard input/,
  );
});

Deno.test("credentials are taken for what is not given otherwise", () => {
  const files = {
    "/run/c/passphrase": { text: "credential" },
    "/run/c/key": { text: KEY },
    f: { text: "file" },
  };
  const found = secrets([], files, "/run/c");
  assert.deepEqual([found.passphrase, found.key, found.salt], [
    "credential",
    KEY,
    undefined,
  ]);
  const given = ["--passphrase-file", "f"];
  assert.equal(secrets(given, files, "/run/c").passphrase, "file");
  const phrased = secrets(["-E", "x"], files, "/run/c");
  assert.equal(phrased.passphrase, "x");
  assert.equal(phrased.key, undefined, "it would hide the passphrase");
  const salt = { "/run/c/salt": { text: SALT } };
  assert.equal(secrets(["-K", KEY], salt, "/run/c").salt, SALT);
  assert.match(failure([], {}, "/run/c"), /no master key is given/);
});

Deno.test("a file that others have access to is warned about", () => {
  const files = { f: { text: "x", isPublic: true } };
  assert.deepEqual(secrets(["--passphrase-file", "f"], files).warnings, [
    "others have access to the passphrase from 'f' (--passphrase-file): " +
    "use chmod 600",
  ]);
});

Deno.test("a secret is given by its option or by its file", () => {
  assert.equal(
    failure(["-K", KEY, "--key-file", "f", "-A", SALT]),
    "Cannot use both --key and --key-file: give one of them\n",
  );
});

Deno.test("a file that holds no secret is named, and not shown", () => {
  const fails = (option: string, file?: FakeFile) =>
    failure([option, "f"], file ? { f: file } : {});
  assert.match(
    fails("--key-file"),
    /^Cannot use the key from 'f' \(--key-file\): Cannot open 'f': ENOENT$/m,
  );
  assert.match(
    fails("--key-file", { text: "hunter2" }),
    /^Cannot use the key from 'f' .*: it must be hexadecimal digits/,
  );
  assert.doesNotMatch(fails("--key-file", { text: "hunter2" }), /hunter2/);
  assert.match(fails("--salt-file", { text: "00" }), /it must be 28 hexad/);
  assert.match(
    fails("--passphrase-file", { text: "\n" }),
    /it must be a text that is not empty/,
  );
});

Deno.test("a key of the wrong length is refused, and blamed on where it is from", () => {
  const wrong =
    "it has 32 bytes, key derivation aes-ctr-128 (--kd-prf) needs 16";
  const text = KEY + KEY;
  assert.equal(
    failure(["--key-file", "f", "-E", "x"], { f: { text } }),
    `Cannot use the key from 'f' (--key-file): ${wrong}\n`,
  );
  assert.equal(
    failure(["--key-file", "-", "-E", "x"], { "": { text } }),
    `Cannot use the key from standard input (--key-file): ${wrong}\n`,
  );
  assert.equal(
    failure(["-A", SALT], { "/run/c/key": { text } }, "/run/c"),
    `Cannot use the key from '/run/c/key' ($CREDENTIALS_DIRECTORY): ${wrong}\n`,
  );
  assert.equal(
    failure(["-K", text, "-E", "x"]),
    `Cannot use the master key (--key): ${wrong}\n`,
  );
});

Deno.test("no file is read if there is nothing to keep secret", () => {
  const { result } = read(["-k", "null", "--key-file", "f"]);
  assert.equal(result.kind, "run");
});

Deno.test("- means standard input only where a file is meant to be", () => {
  const { result } = read(["-E", "-"]);
  assert.equal(result.kind, "error");
  assert.match(result.stderr, /^syntax error: -E \*\*\*\*\n/);
});

Deno.test("secretArguments() finds the values of secret options", () => {
  const find = (...argv: string[]) => secretArguments(anytunTable, argv);
  assert.deepEqual(find("-E", "x", "-D", "--key", "y", "--salt", "z"), [
    1,
    4,
    6,
  ]);
  assert.deepEqual(find("-d", "tun0", "--key-file", "f"), []);
  assert.deepEqual(find("-E"), []);
  assert.deepEqual(find("--bogus", "-K", "-A"), [2]);
});
