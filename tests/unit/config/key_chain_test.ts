import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const KEY = "0123456789abcdef".repeat(4);

function chain(interval = 3600): string {
  return `anytun-keychain 1\ninterval ${interval}\nepoch 7\nchain ${KEY}\n`;
}

function read(file: Partial<FakeFile>, ...more: string[]) {
  const files = fakeHostFiles({
    "k/chain": { text: chain(), ...file },
    "s": { text: "ab".repeat(16) },
  }, "/run/c");
  const argv = ["-D", "-w", "64", "--key-chain", "k/chain", ...more];
  return { files, result: readAnytunCommandLine(argv, RUNTIME, files) };
}

/** What is printed where the command line is refused. */
function fault(...args: Parameters<typeof read>): string {
  return faultOf(read(...args).result);
}

function warnings(...args: Parameters<typeof read>): readonly string[] {
  return runOf(read(...args).result).warnings;
}

Deno.test("a key chain is in place of key, salt and passphrase", () => {
  const { result, files } = read({});
  assert.equal(result.kind, "run");
  assert.equal(result.options.keyChain, "k/chain");
  assert.equal(result.options.secrets, undefined);
  assert.deepEqual(result.warnings, []);
  assert.ok(files.handedOut.every((bytes) => bytes.every((b) => b === 0)));
});

Deno.test("a key chain beside other secrets is refused, and all are named", () => {
  assert.equal(
    fault({}, "-E", "x", "--key-file", "s"),
    "Cannot use both --key-chain and --passphrase, --key-file: a key chain " +
      "is in place of key, salt and passphrase\n",
  );
  assert.match(fault({}, "-A", "ab".repeat(14)), /--key-chain and --salt:/);
});

Deno.test("a key chain needs a key derivation that has keys", () => {
  const expected = "Cannot use the key chain in 'k/chain' (--key-chain): key " +
    "derivation null (--kd-prf) has no keys\n";
  assert.equal(fault({}, "-k", "null"), expected);
  assert.equal(fault({}, "-c", "null", "-a", "null"), expected);
});

Deno.test("a key chain that is of no use is refused without being shown", () => {
  const wrong = fault({ text: chain().replace("chain 0", "chain x") });
  assert.equal(
    wrong,
    "Cannot use the key chain in 'k/chain' (--key-chain): line 4: chain " +
      "must be 64 hexadecimal digits\n",
  );
  assert.match(
    fault({}, "--key-chain", "none"),
    /^Cannot use the key chain in 'none' \(--key-chain\): .*ENOENT\n$/,
  );
});

Deno.test("a key chain that others can read is refused, unless it is root's", () => {
  assert.equal(
    fault({ isPublic: true }),
    "Cannot use the key chain in 'k/chain' (--key-chain): others have " +
      "access to the file, use chmod 600 'k/chain'\n",
  );
  assert.deepEqual(warnings({ isPublic: true, isRoots: true }), [
    "the key chain in 'k/chain' (--key-chain): others have access to the " +
    "file, use chmod 600 'k/chain' as root, who alone can",
  ]);
});

Deno.test("an interval that is longer than its numbers last is warned of", () => {
  const text = chain(2 * 3600 + 1800);
  assert.deepEqual(warnings({ text }), [], "256 sender ids last for weeks");
  assert.deepEqual(warnings({ text }, "-s", "7"), [
    "the interval of --key-chain is 150m: at 500000 packets a second the " +
    "numbers of an epoch are used up after 8589 s, and nothing is sent " +
    "until the next; use genkey --interval 2h, or several sender ids " +
    "(--sender-id)",
  ]);
  assert.deepEqual(warnings({ text: chain(7200) }, "-s", "7"), []);
});

Deno.test("one sender id whose numbers begin anew within an epoch is warned of", () => {
  const none = ["--state-dir", "none"];
  assert.deepEqual(warnings({}, ...none, "-s", "7"), [
    "--key-chain with --state-dir none and one sender id (--sender-id): " +
    "whoever starts again within an epoch uses its key streams again; give a " +
    "state folder, or several sender ids",
  ]);
  assert.deepEqual(warnings({}, ...none), []);
  assert.deepEqual(warnings({}, ...none, "-s", "7-8"), []);
  assert.deepEqual(warnings({}, "--state-dir", "/s", "-s", "7"), []);
});
