// Config files, in YAML and as the lines of Debian's package.
import { strict as assert } from "node:assert";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import {
  type ConfigText,
  readConfigText,
} from "../../../src/config/config_file.ts";
import type { ConfigFormat } from "../../../src/config/config_place.ts";
import { configText } from "../../../src/config/config_text.ts";
import { OptionFault } from "../../../src/config/fault.ts";
import type { OptionTable } from "../../../src/config/option.ts";
import type { GivenValues } from "../../../src/config/values.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import type { Target } from "../target.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };
const PATHS = { yaml: "/t/vpn.yaml", lines: "/t/config" } as const;
const FORMATS = ["yaml", "lines"] as const;

/** Longer than what a message says anyway. */
const TELLING = 10;

const YAML = `# one end
remote-host: b.example.com
port: 4444
ifconfig: [10.99.0.1/30, "fd00::1/64"]
route:
  - 10.0.0.0/8
  - 'fd00:2::/64'
no-roaming: true
role: right
cipher: null
log: ["file:3,/var/log/a log", stderr:4]
passphrase: "correct horse battery"
`;
const LINES = `## main options
role alice
ifconfig 192.168.223.1/30   # of the device
log syslog:3,anytun,daemon
passphrase Creating_VPN_Tunnels
key 00112233445566778899aabbccddeeff
nodaemonize
`;

/** An input is the format, by its first byte, and the file. */
export default function open(): Target {
  const encoder = new TextEncoder();
  const seed = (format: ConfigFormat, text: string) =>
    Uint8Array.of(FORMATS.indexOf(format), ...encoder.encode(text));
  return {
    seeds: [
      seed("yaml", YAML),
      seed("lines", LINES),
      seed("yaml", YAML.replaceAll("\n", "\r\n")),
      seed("yaml", "\ufeffport: 1\n---\n? [a]\n: &x !!str b\nc: *x\n"),
      seed(
        "yaml",
        "%TAG !e! tag:e,2000:\n--- !e!x\nkey: |\n  00112233445566\n",
      ),
      seed("yaml", "salt: >-\n  001122334455\n  66778899\nport: {a: [b]}\n"),
      seed("yaml", "passphrase:\n  - one two three four\n...\n"),
      seed("lines", "passphrase two words of it\nport\n"),
    ],
    words: [
      ...Object.values(anytunTable).map(({ long }) => `${long.slice(2)}: `),
      ...["passphrase ", "key ", "salt ", "\n", "\r\n", "\r", "\t", "  - "],
      ...["? ", ": ", "- ", "---\n", "...\n", "&a ", "*a", "!!str ", "!a!b "],
      ...["|\n", ">-\n", "'", '"', "\\", "\\x00", "\\ud800", "#", " #", "~"],
      ...["{", "}", "[", "]", ", ", "<<: ", "%YAML 1.1\n", "%TAG ", "\0"],
      ...[
        "true",
        "false",
        "yes",
        "null",
        "\ufeff",
        "\u0085",
        "\u2028",
        "\ud7ff",
      ],
      ...["0x10", "010", "1:30", "2001-01-01", ".inf", "@", "`"],
    ],
    maxBytes: 400,
    run(input) {
      const format = FORMATS[(input[0] ?? 0) % FORMATS.length] ?? "yaml";
      const bytes = input.slice(1);
      const path = PATHS[format];
      const given = readOrFault({ path, format, bytes });
      if (given !== undefined) assertSame(given);
      assertUntold(format, bytes);
    },
  };
}

/** @returns undefined if it is refused: each line says where */
function readOrFault(
  text: ConfigText,
): GivenValues<typeof anytunTable> | undefined {
  try {
    const given = readConfigText(anytunTable, text);
    const lines = new TextDecoder().decode(text.bytes).split(/\r\n|\r|\n/);
    for (const { origin } of Object.values(given).flat()) {
      assert.ok(origin.kind === "file" && origin.line !== undefined);
      assert.ok(origin.line >= 1 && origin.line <= lines.length);
    }
    return given;
  } catch (error) {
    assert.ok(error instanceof OptionFault, `untyped: ${error}`);
    for (const line of error.message.split("\n")) {
      assert.match(line, /^\/t\/[a-z.]+:[1-9]\d*:[1-9]\d*: ./);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(line, /[\x00-\x1f\x7f]/);
    }
    return undefined;
  }
}

/** What is shown of options is a file that says the same but for secrets. */
function assertSame(given: GivenValues<typeof anytunTable>): void {
  const sources = [given as GivenValues<OptionTable>];
  const bytes = new TextEncoder().encode(configText(anytunTable, sources));
  const again = readConfigText(anytunTable, {
    ...{ path: PATHS.yaml, format: "yaml", bytes },
  });
  const secrets = ["passphrase", "key", "salt"];
  for (const [key, values] of Object.entries(given)) {
    if (secrets.includes(key)) continue;
    const valuesOf = (all: readonly { readonly value: unknown }[]) =>
      all.map(({ value }) => value);
    const [shown] = [Object.entries(again).find(([name]) => name === key)];
    const isRepeated = anytunTable[key as keyof typeof anytunTable].kind ===
      "repeated";
    const expected = isRepeated ? values : values.slice(-1);
    assert.deepEqual(valuesOf(shown?.[1] ?? []), valuesOf(expected), key);
  }
}

/** Neither faults nor warnings have a word of what follows a secret's key. */
function assertUntold(format: ConfigFormat, bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes);
  for (const [line, value = ""] of text.matchAll(SECRET_LINE)) {
    const others = text.replace(line, "");
    for (const word of value.split(/[^\w]+/)) {
      if (word.length < TELLING || others.includes(word)) continue;
      if (!saidOf(format, text).includes(word)) continue;
      // It may have the very words of the message, as may its key.
      const key = line.slice(0, line.length - value.length);
      const other = key + value.replaceAll(word, "x");
      const masked = text.replace(line, () => other);
      if (saidOf(format, masked).includes(word)) continue;
      assert.fail(`a secret is shown: ${saidOf(format, text)}`);
    }
  }
}

const SECRET_LINE =
  /^[ \t]*["']?(?:passphrase|key|salt)["']?[ \t]*[: \t](.*)$/gm;

function saidOf(format: ConfigFormat, text: string): string {
  const path = PATHS[format];
  const files = fakeHostFiles({ [path]: { text } });
  const result = readAnytunCommandLine(["--config", path], RUNTIME, files);
  assert.notEqual(result.kind, "print");
  if (result.kind === "error") return result.stderr;
  return result.kind === "run" ? result.warnings.join("\n") : "";
}
