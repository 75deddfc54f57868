import { strict as assert } from "node:assert";
import {
  type AddOptions,
  readFleetCommandLine,
} from "../../../src/config/fleet.ts";
import {
  readRecordText,
  recordText,
} from "../../../src/config/fleet_record.ts";
import { clientYaml } from "../../../src/config/fleet_yaml.ts";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const KEY = "00112233445566778899aabbccddeeff";
const SALT = "00112233445566778899aabbccdd";

const FILES = {
  key: { text: `${KEY}\n` },
  salt: { text: `${SALT}\n` },
  phrase: { text: "a phrase\n" },
  "/home/fleet.yaml": { text: "source: http://127.0.0.1/f\njson: true\n" },
};

function read(...argv: string[]) {
  return readFleetCommandLine(argv, RUNTIME, fakeHostFiles(FILES));
}

function run(...argv: string[]) {
  return runOf(read(...argv, "--source", "http://127.0.0.1/f")).options.act;
}

function added(...argv: string[]): AddOptions {
  const act = run("add", "branch", ...argv);
  assert.equal(act.action, "add");
  return act as AddOptions;
}

Deno.test("without arguments there is the help", () => {
  const result = read();
  assert.equal(result.kind, "print");
  assert.match(
    result.kind === "print" ? result.text : "",
    /^USAGE:\nanytun fleet add\|remove\|list\|rotate \[name\] \[options\]/,
  );
});

Deno.test("words may stand before and behind options", () => {
  const options = ["--source", "http://127.0.0.1/f"];
  for (
    const argv of [
      ["remove", "a", ...options],
      [...options, "remove", "a"],
      ["remove", ...options, "a"],
    ]
  ) {
    assert.deepEqual(runOf(read(...argv)).options.act, {
      action: "remove",
      name: "a",
    });
  }
});

Deno.test("a config file may have the source, and options of other actions", () => {
  const line = read("remove", "a", "--config", "./fleet.yaml");
  assert.equal(runOf(line).options.source.prefix, "/f");
});

for (
  const [argv, fault] of [
    [["list"], /Cannot tell where the records of the fleet are: add --source/],
    [["ad", "x"], /Cannot do 'ad' with a fleet: did you mean add\?/],
    [["-j"], /Cannot tell what to do: use one of add, remove, list, rotate/],
    [["list", "a"], /list takes no name/],
    [["remove"], /add its name, anytun fleet remove <name>/],
    [["remove", "a", "b"], /Cannot remove 'a' and 'b': give one name/],
    [["remove", "../b"], /Cannot remove '..\/b': a name is one to 63 letters/],
    [["remove", "a\x1b[2J"], /Cannot remove 'a\\x1b\[2J'/],
    [["remove", "a", "-m", "5"], /Cannot use --mux with anytun fleet remove/],
    [["list", "--out", "x"], /Cannot use --out with anytun fleet list/],
    [
      ["rotate", "a", "-R", "1.2.3.4/32"],
      /Cannot use --route with anytun fleet/,
    ],
    [
      ["rotate", "a", "--out", "-", "--kd-prf", "aes-ctr-256"],
      /Cannot use --kd-prf aes-ctr-256 without a key: a client keeps the key d/,
    ],
    [
      ["rotate", "a", "-k", "aes-ctr", "--chain", "--chain-file", "x"],
      /Cannot use --kd-prf aes-ctr-128 with --chain: a client keeps the key de/,
    ],
    [["add", "a"], /add --out <file>, or --out - for standard output/],
    [["add", "a", "--chain"], /does not get: add --chain-file/],
    [["add", "a", "--interval", "1h"], /--interval alone: add --chain/],
    [["add", "a", "--chain", "-k", "null"], /--kd-prf is null/],
    [
      ["add", "a", "--chain", "--key-file", "key", "--salt-file", "salt"],
      /--chain and a key, salt or passphrase/,
    ],
    [
      ["add", "a", "--out", "-", "-r", "peer.example"],
      /--remote-host 'peer.example' for a fleet: it needs an address/,
    ],
    [
      [
        "add",
        "a",
        "--key-file",
        "key",
        "--salt-file",
        "salt",
        "-k",
        "aes-ctr-256",
      ],
      /it has 16 bytes, key derivation aes-ctr-256 \(--kd-prf\) needs 32/,
    ],
  ] as const
) {
  Deno.test(`fleet ${JSON.stringify(argv)} is refused`, () => {
    assert.match(faultOf(read(...argv)), fault);
  });
}

Deno.test("a piece of a secret is not taken for a word, nor shown", () => {
  const fault = faultOf(read("add", "a", "-E", "my", "secret", "--out", "-"));
  assert.doesNotMatch(fault, /secret'/);
  assert.match(fault, /\*\*\*\*/);
});

Deno.test("secrets among the arguments are warned of", () => {
  const line = read("add", "a", "-E", "x", "--source", "http://127.0.0.1/f");
  assert.match(
    runOf(line).warnings.join(),
    /passphrase is on the command line/,
  );
});

const secrets = {
  key: Uint8Array.fromHex(KEY),
  salt: Uint8Array.fromHex(SALT),
};

Deno.test("the record of a client is read back as it was meant", () => {
  const options = added(
    ...["--out", "-", "-e", "client", "-w", "0", "-R", "10.7.0.0/16,fd00::/8"],
    ...["--address", "10.99.0.5/24", "-r", "2001:db8::5", "-o", "99"],
  );
  const text = recordText(options, 7, secrets);
  const values = readRecordText("branch", text);
  assert.equal(values.mux, 7);
  assert.equal(values.role, "right");
  assert.equal(values.windowSize, 0);
  assert.equal(values.kdPrf, "aes-ctr-128");
  assert.equal(values.remoteHost, "2001:db8::5");
  assert.equal(values.remotePort, 99);
  assert.deepEqual(values.key, secrets.key);
  assert.deepEqual(values.salt, secrets.salt);
  assert.match(
    text,
    /^route 10.99.0.5\/32\nroute 10.7.0.0\/16\nroute fd00::\/8$/m,
  );
});

Deno.test("the config of a client is one that anytun takes", () => {
  const options = added(
    ...["--out", "-", "--server", "[2001:db8::1]:99"],
    ...["--address", "fd00::5/64", "-k", "aes-ctr-128"],
  );
  const text = clientYaml(options, 7, secrets);
  assert.match(text, /^remote-host: "2001:db8::1"$/m);
  const files = fakeHostFiles({ "/home/c.yaml": { text } });
  const line = ["-D", "--config", "./c.yaml"];
  const anytun = runOf(readAnytunCommandLine(line, RUNTIME, files));
  assert.equal(anytun.options.mux, 7);
  assert.equal(anytun.options.role, "right");
});

Deno.test("keys that were given by file are named in the config, and not shown", () => {
  const options = added("--key-file", "key", "--salt-file", "salt");
  const text = clientYaml(options, 7, undefined);
  assert.match(text, /^key-file: key\nsalt-file: salt$/m);
  assert.ok(!text.includes(KEY));
});

for (const option of ["key-file", "salt-file", "passphrase-file", "config"]) {
  Deno.test(`a record cannot have ${option}, a file of whoever reads it`, () => {
    assert.throws(
      () => readRecordText("evil", `mux 9\n${option} /etc/shadow\n`),
      { name: "OptionFault" },
    );
  });
}

Deno.test("what is wrong with a record is told without its keys", () => {
  assert.throws(
    () => readRecordText("evil", `mux 9\nkey ${KEY}x\nrole wrong\n`),
    (error) => error instanceof Error && !error.message.includes(KEY),
  );
  assert.throws(() => readRecordText("evil", "role wrong\n"), /wrong/);
});
