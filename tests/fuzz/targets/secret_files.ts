// Files and credentials that hold keys, salts, passphrases and key chains.
import { strict as assert } from "node:assert";
import { readCommandLine } from "../../../src/config/command_line.ts";
import { stateDirRow } from "../../../src/config/connection.ts";
import { checkKeyChain, keyChainRow } from "../../../src/config/key_chain.ts";
import { kdPrfRow, secretsOf } from "../../../src/config/keys.ts";
import { secretRows } from "../../../src/config/secrets.ts";
import type { HostFiles } from "../../../src/config/host_files.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import { SALT_BYTES } from "../../../src/satp/params.ts";
import type { GivenSecrets } from "../../../src/satp/secrets.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };

/** Longer than what a message says anyway. */
const TELLING = 12;

/** By the first byte: how secrets are given. The empty path is standard input. */
const WAYS = [
  ["--key-file", "key", "--salt-file", "salt"],
  ["--passphrase-file", "passphrase"],
  ["--key-file", "-", "--salt-file", "salt"],
  ["--key-chain", "chain"],
  [],
  ["--passphrase-file", "passphrase", "--key-file", "key"],
] as const;

/** By the first byte: master key bytes of a key derivation. */
const KEY_BYTES = { "aes-ctr-128": 16, "aes-ctr-192": 24, "aes-ctr-256": 32 };
const KD_PRFS = ["aes-ctr-128", "aes-ctr-192", "aes-ctr-256"] as const;

/** Of the second byte: others have access; systemd has left credentials. */
const PUBLIC = 1;
const CREDENTIALS = 2;

/** Those options of the daemon that are about keys. */
const TABLE = {
  ...secretRows,
  ...{ kdPrf: kdPrfRow, keyChain: keyChainRow, stateDir: stateDirRow },
};
const SENDER_IDS = { first: 7, last: 7 };

const FOLDER = "/run/credentials/anytun";

/** An input is how secrets are given, the length of one file, and two files. */
export default function open(): Target {
  const encoder = new TextEncoder();
  const key = "0123456789abcdef".repeat(2);
  const salt = "0123456789ab\tcdef".slice(0, 12) + "cdef0123456789ab";
  const chain = formatChainFile({
    ...{ interval: 3600, epoch: 9, key: new Uint8Array(32).fill(0xa5) },
  });
  const seed = (way: number, flags: number, first: string, second = "") => {
    const bytes = encoder.encode(first);
    const head = [way, flags, bytes.length];
    return Uint8Array.of(...head, ...bytes, ...encoder.encode(second));
  };
  return {
    seeds: [
      seed(0, 0, `${key}\n`, `${salt}\r\n`),
      seed(0, PUBLIC, key, salt),
      seed(1, 0, "a passphrase of some words\r\n"),
      seed(2, 0, key, salt),
      seed(3, 0, new TextDecoder().decode(chain)),
      seed(4, CREDENTIALS, `${key}\n`, `${salt}\n`),
      seed(5, 0, `${key}${key}`, "another passphrase"),
      seed(WAYS.length, 0, key + key.slice(16), salt),
    ],
    words: ["\n", "\r\n", " ", "0123456789abcdef", "\0", "xyz", "\ufeff"],
    maxBytes: 240,
    run(input) {
      const bytes = new ByteReader(input);
      const way = bytes.byte();
      const argv = WAYS[way % WAYS.length] ?? [];
      const kdPrf = KD_PRFS[Math.floor(way / WAYS.length) % 3] ?? KD_PRFS[0];
      const flags = bytes.byte();
      const first = bytes.take(bytes.byte());
      const files = new Files(first, bytes.take(input.length), flags);
      const options = [...argv, "-k", kdPrf];
      const answer = readSecrets(options, files);
      assert.notEqual(answer.kind, "print");
      if (answer.kind === "error") files.assertUntold(answer.stderr);
      if (answer.kind === "run") {
        files.assertUntold(answer.warnings.join());
        const { options: secrets } = answer;
        if (secrets !== undefined) assertSound(secrets, KEY_BYTES[kdPrf]);
      }
      files.assertWiped();
    },
  };
}

function readSecrets(argv: readonly string[], files: HostFiles) {
  return readCommandLine(
    {
      ...{ name: "anytun", table: TABLE, sections: [] },
      settle(settings, warn) {
        const surroundings = { runtime: RUNTIME, files, warn };
        const { kdPrf } = settings.values;
        return checkKeyChain(settings, kdPrf, SENDER_IDS, surroundings)
          ? undefined
          : secretsOf(settings, kdPrf, surroundings);
      },
    },
    argv,
    RUNTIME,
  );
}

function assertSound(secrets: GivenSecrets, keyBytes: number): void {
  const { passphrase, key, salt } = secrets;
  assert.ok((passphrase ?? (key && salt)) !== undefined);
  if (key !== undefined) assert.equal(key.length, keyBytes);
  if (salt !== undefined) assert.equal(salt.length, SALT_BYTES);
  if (passphrase !== undefined) assert.notEqual(passphrase, "");
}

/** The first one is what is asked for first. */
class Files implements HostFiles {
  readonly credentialsFolder: string | undefined;
  readonly httpProxy = undefined;
  readonly #contents: readonly Uint8Array[];
  readonly #isPublic: boolean;
  readonly #read: Uint8Array[] = [];

  constructor(first: Uint8Array, second: Uint8Array, flags: number) {
    this.#contents = [first, second];
    this.#isPublic = (flags & PUBLIC) !== 0;
    this.credentialsFolder = flags & CREDENTIALS ? FOLDER : undefined;
  }

  absolute(path: string): string {
    return path;
  }

  exists(): boolean {
    return false;
  }

  namesIn(): readonly string[] {
    return [];
  }

  readConfig(): never {
    throw new Error("there is none");
  }

  readText(): never {
    throw new Error("there is none");
  }

  readFile(path: string) {
    if (path === `${FOLDER}/passphrase`) {
      throw Object.assign(new Error("it is not there"), { code: "ENOENT" });
    }
    const content = this.#contents[this.#read.length];
    const bytes = content?.slice() ?? new Uint8Array();
    this.#read.push(bytes);
    return { bytes, isPublic: this.#isPublic };
  }

  readStandardInput() {
    return this.readFile("-");
  }

  readKeyChain(path: string) {
    return { ...this.readFile(path), isRoots: false };
  }

  kindOf() {
    return "none" as const;
  }

  hasUser(): boolean {
    return false;
  }

  hasGroup(): boolean {
    return false;
  }

  readCertificates(): Uint8Array {
    throw new Error("there are none");
  }

  assertWiped(): void {
    for (const bytes of this.#read) assert.ok(bytes.every((it) => it === 0));
  }

  /** No line of a file is in what was said. */
  assertUntold(text: string): void {
    for (const content of this.#contents) {
      for (const line of new TextDecoder().decode(content).split(/[\r\n]+/)) {
        const trimmed = line.trim();
        if (trimmed.length < TELLING || SAID_ANYWAY.includes(trimmed)) continue;
        assert.ok(!text.includes(trimmed), `a secret is shown: ${text}`);
      }
    }
  }
}

/** What messages call that which a file holds. */
const NAMES = ["key", "salt", "passphrase"].flatMap((name) => [
  `${name} from '${name}' (--${name}-file)`,
  `${name} from standard input (--${name}-file)`,
  `${name} from '${FOLDER}/${name}' ($CREDENTIALS_DIRECTORY)`,
]);

/** What messages say, and a file may hold as well. */
const SAID_ANYWAY = [
  "it must be 'anytun-keychain 1': another version",
  "'interval <seconds>', 'epoch <number>', 'chain <64 hexadecimal digits>'",
  "hexadecimal digits, two for each byte, 28 hexadecimal digits",
  "others have access to the file, use chmod 600 'chain'",
  ...NAMES.map((name) => `others have access to the ${name}: use chmod 600`),
  ...NAMES.map((name) => `Cannot use the ${name}: it is no UTF-8 text`),
  ...NAMES.map((name) => `Cannot use the ${name}: it must be`),
].join(", ");
