// Chain files: by hand, of another program, from another time.
import { strict as assert } from "node:assert";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import { ChainFile, type KeptBytes } from "../../../src/daemon/chain_file.ts";
import {
  CHAIN_KEY_BYTES,
  type ChainLink,
  KeyChain,
  MAX_INTERVAL,
  MIN_INTERVAL,
} from "../../../src/satp/key_chain.ts";
import {
  ChainFileError,
  formatChainFile,
  parseChainFile,
} from "../../../src/satp/key_chain_file.ts";
import { fromHex, loadVectors, toHex } from "../../vectors/vectors.ts";
import { isSame } from "../bytes.ts";
import type { Target } from "../target.ts";

interface ChainVectors {
  readonly interval: number;
  readonly epochs: readonly {
    readonly epoch: number;
    readonly chain: string;
  }[];
}

/** Epochs that are derived at most: thousands would take long. */
const NEAR = 4;

/** Of what is in the file nothing else is said. */
const MESSAGE =
  /^line \d+: (it must be '[a-z <>\d-]+'(: another version)?|(interval|epoch) must be a decimal number from \d+ to \d+|nothing may follow the chain|chain must be 64 hexadecimal digits)$/;

const SHAPE =
  /^anytun-keychain 0*1[ \t\r]*\ninterval (\d+)[ \t\r]*\nepoch (\d+)[ \t\r]*\nchain ([\da-fA-F]{64})[ \t\r\n]*$/;

/** An input is a file. */
export default function open(): Target {
  const [vectors] = loadVectors<readonly ChainVectors[]>("key_chain.json");
  assert.ok(vectors !== undefined);
  const { interval } = vectors;
  const links = vectors.epochs.map(({ epoch, chain }) => ({
    interval,
    epoch,
    key: fromHex(chain),
  }));
  const [first, own, next] = links;
  assert.ok(first !== undefined && own !== undefined && next !== undefined);
  return {
    seeds: [
      ...links.map(formatChainFile),
      formatChainFile({ interval: 60, epoch: 2, key: first.key }),
      formatChainFile({ interval: 2_592_000, epoch: 97_762, key: first.key }),
      formatChainFile({ interval: 59, epoch: 1e9, key: first.key }),
      new TextEncoder().encode("anytun-keychain 1\r\ninterval 60 \r\n\r\n"),
    ],
    words: [
      ...["anytun-keychain 1\n", "interval ", "epoch ", "chain ", "\r\n", "\n"],
      ...[
        "3600",
        "60",
        "2592001",
        "493210",
        "493212",
        "ABCDEF",
        " ",
        "\t",
        "\0",
      ],
      ...links.map(({ key }) => toHex(key)),
    ],
    maxBytes: 180,
    run(input) {
      const link = read(input);
      if (link !== undefined) assertSound(link, input);
      assertKept(input, link, { own, next });
    },
  };
}

function read(file: Uint8Array): ChainLink | undefined {
  try {
    return parseChainFile(file);
  } catch (error) {
    assert.ok(error instanceof ChainFileError, `untyped: ${error}`);
    assert.match(error.message, MESSAGE);
    return undefined;
  }
}

function assertSound(link: ChainLink, input: Uint8Array): void {
  const { interval, epoch, key } = link;
  assert.ok(interval >= MIN_INTERVAL && interval <= MAX_INTERVAL);
  assert.ok(Number.isSafeInteger(epoch) && epoch >= 0);
  assert.equal(key.length, CHAIN_KEY_BYTES);
  assert.deepEqual(parseChainFile(formatChainFile(link)), link);
  // The file has this and nothing else.
  const text = new TextDecoder().decode(input);
  const [, ...found] = SHAPE.exec(text) ?? [];
  const [foundInterval, foundEpoch, digits] = found;
  assert.deepEqual([foundInterval, foundEpoch].map(Number), [interval, epoch]);
  assert.equal(digits?.toLowerCase(), toHex(key));
}

/** Two epochs of a chain, one after the other. */
interface Move {
  readonly own: ChainLink;
  readonly next: ChainLink;
}

/** A daemon replaces an earlier epoch of its own chain, and nothing else. */
function assertKept(
  input: Uint8Array,
  found: ChainLink | undefined,
  { own, next }: Move,
): void {
  if (found !== undefined && Math.abs(found.epoch - own.epoch) > NEAR) return;
  const file = new FileInMemory(Uint8Array.from(input));
  try {
    const chain = new KeyChain(own, hkdf);
    const result = new ChainFile(file).moveOn(chain, next.epoch);
    assert.ok(found !== undefined);
    const isOwn = isOf(found, next);
    const isMoved = result === "written";
    assert.equal(isMoved, isOwn && found.epoch < next.epoch);
    assert.equal(result === "foreign", !isOwn);
    assert.ok(isSame(file.bytes, isMoved ? formatChainFile(next) : input));
  } catch (error) {
    if (!(error instanceof ChainFileError)) throw error;
    assert.ok(found === undefined && isSame(file.bytes, input));
  }
}

/** Whether one leads to the other. */
function isOf(found: ChainLink, other: ChainLink): boolean {
  if (found.interval !== other.interval) return false;
  const isEarly = found.epoch < other.epoch;
  const [early, late] = isEarly ? [found, other] : [other, found];
  return isSame(new KeyChain(early, hkdf).link(late.epoch).key, late.key);
}

class FileInMemory implements KeptBytes {
  readonly folder = -1;
  bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  giveTo(): void {}

  read(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice();
  }

  claim(): boolean {
    return true;
  }

  replace(
    change: (
      bytes: Uint8Array<ArrayBuffer>,
    ) => Uint8Array<ArrayBuffer> | undefined,
  ): boolean {
    this.bytes = change(this.bytes.slice()) ?? this.bytes;
    return true;
  }

  [Symbol.dispose](): void {}
}
