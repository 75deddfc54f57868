import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ChainFileError,
  formatChainFile,
  parseChainFile,
} from "../../../src/satp/key_chain_file.ts";

const KEY = "00112233445566778899aabbccddeeff".repeat(2);
const LINES = [
  "anytun-keychain 1",
  "interval 3600",
  "epoch 493210",
  `chain ${KEY}`,
];

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (...lines: string[]) => parseChainFile(bytes(lines.join("\n")));

/** The file with another line in one place. */
function withLine(line: number, text: string): string[] {
  return LINES.with(line - 1, text);
}

Deno.test("a chain file is what it is written as", () => {
  const { interval, epoch, key } = parse(...LINES, "");
  assert.deepEqual([interval, epoch, key.toHex()], [3600, 493210, KEY]);
  fc.assert(fc.property(
    fc.integer({ min: 60, max: 2_592_000 }),
    fc.integer({ min: 0, max: 97_000 }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    (interval, epoch, key) => {
      const read = parseChainFile(formatChainFile({ interval, epoch, key }));
      assert.deepEqual({ ...read, key: read.key.toHex() }, {
        interval,
        epoch,
        key: key.toHex(),
      });
    },
  ));
});

Deno.test("a chain file may come from an editor", () => {
  const text = LINES.map((line) => `${line} \t\r\n`).join("") + "\r\n \n";
  assert.equal(parseChainFile(bytes(text)).key.toHex(), KEY);
  assert.equal(
    parse(...withLine(
      4,
      LINES[3]?.toUpperCase()
        .replace("CHAIN", "chain") ?? "",
    )).key.toHex(),
    KEY,
  );
});

Deno.test("a chain file with a wrong line says what would be right", () => {
  const interval = "interval must be a decimal number from 60 to 2592000";
  const epoch = "epoch must be a decimal number from 0 to 70389528";
  const chain = "chain must be 64 hexadecimal digits";
  const cases: readonly (readonly [number, string, string])[] = [
    [1, "", "it must be 'anytun-keychain 1'"],
    [1, "anytun-keychain 2", "it must be 'anytun-keychain 1': another version"],
    [1, " anytun-keychain 1", "it must be 'anytun-keychain 1'"],
    [2, "epoch 3600", "it must be 'interval <seconds>'"],
    [2, "interval", "it must be 'interval <seconds>'"],
    [2, "interval 59", interval],
    [2, "interval 2592001", interval],
    [2, "interval 1h", interval],
    [2, "interval 3600 s", interval],
    [2, "interval -60", interval],
    [2, "interval 9999999999999999", interval],
    [3, "epoch", "it must be 'epoch <number>'"],
    [3, "epoch 1e3", epoch],
    [3, "epoch 70389529", epoch],
    [4, "", "it must be 'chain <64 hexadecimal digits>'"],
    [4, `key ${KEY}`, "it must be 'chain <64 hexadecimal digits>'"],
    [4, `chain ${KEY.slice(1)}`, chain],
    [4, `chain ${KEY}0`, chain],
    [4, `chain ${KEY.slice(1)}g`, chain],
    [4, `chain  ${KEY.slice(1)}`, chain],
  ];
  for (const [line, text, why] of cases) {
    const read = () => parse(...withLine(line, text));
    assert.throws(read, { message: `line ${line}: ${why}` }, text);
  }
  assert.throws(() => parse(...LINES, "", "more"), {
    message: "line 6: nothing may follow the chain",
  });
});

Deno.test("a chain file that is cut off is refused at every byte", () => {
  const text = LINES.join("\n");
  for (let length = 0; length < text.length; length++) {
    const cut = bytes(text.slice(0, length));
    assert.throws(() => parseChainFile(cut), ChainFileError, `${length}`);
  }
});

Deno.test("whatever a chain file holds, it is read or refused, and no key shown", () => {
  const spoilt = fc.tuple(
    fc.nat({ max: LINES.join("\n").length }),
    fc.nat({ max: 20 }),
    fc.uint8Array({ maxLength: 200 }),
  ).map(([at, removed, added]) => {
    const whole = bytes(LINES.join("\n"));
    return Uint8Array.from([
      ...whole.subarray(0, at),
      ...added,
      ...whole.subarray(at + removed),
    ]);
  });
  fc.assert(fc.property(fc.oneof(spoilt, fc.uint8Array()), (file) => {
    try {
      assert.equal(parseChainFile(file).key.length, 32);
    } catch (error) {
      assert.ok(error instanceof ChainFileError, String(error));
      assert.doesNotMatch(error.message, /[0-9a-f]{12}/);
    }
  }));
});
