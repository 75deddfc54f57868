// Option for a key chain in place of key, salt and passphrase
// (docs/key-chains.md).
import { reasonOf } from "../log/reason.ts";
import { SEQ_RANGE } from "../satp/header.ts";
import type { ChainLink } from "../satp/key_chain.ts";
import { parseChainFile } from "../satp/key_chain_file.ts";
import type { KdPrfName } from "../satp/params.ts";
import { MAX_SENDER_IDS, type SenderIdRange } from "../tunnel/settings.ts";
import { NO_STATE_DIR, type stateDirRow } from "./connection.ts";
import { durationOption } from "./duration.ts";
import { OptionFault, type Warn } from "./fault.ts";
import type { kdPrfRow } from "./keys.ts";
import { anyText, optional } from "./option.ts";
import type { secretRows } from "./secrets.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import type { Settings } from "./values.ts";

const INSTEAD = [
  "passphrase",
  "key",
  "salt",
  "passphraseFile",
  "keyFile",
  "saltFile",
] as const;

export const keyChainRow = optional({
  group: "Keys and algorithms",
  long: "--key-chain",
  argument: "file",
  parse: anyText,
  help: "take keys that change with time from this file, made by anytun " +
    "genkey --chain, in place of key, salt and passphrase; the peer has a " +
    "copy of it",
  replaces: INSTEAD,
});

type ChainSettings = Settings<
  typeof secretRows & {
    readonly kdPrf: typeof kdPrfRow;
    readonly keyChain: typeof keyChainRow;
    readonly stateDir: typeof stateDirRow;
  }
>;

/** More than was measured on any machine, in packets a second. */
const PEAK_RATE = 500_000;

/**
 * Checks the option and its file, of which nothing is kept.
 * @param kdPrf The one in force
 * @returns Whether there is a key chain
 */
export function checkKeyChain(
  settings: ChainSettings,
  kdPrf: KdPrfName,
  senderIds: SenderIdRange,
  surroundings: Surroundings,
): boolean {
  const { values: { keyChain: path }, names } = settings;
  if (path === undefined) return false;
  const name = `the key chain in '${path}' (${names.keyChain})`;
  const others = INSTEAD.filter((other) => settings.values[other] !== undefined)
    .map((other) => names[other]);
  if (others.length > 0) {
    throw new OptionFault(
      `Cannot use both ${names.keyChain} and ${others.join(", ")}: a key ` +
        "chain is in place of key, salt and passphrase",
    );
  }
  if (kdPrf === "null") {
    throw new OptionFault(
      `Cannot use ${name}: key derivation ${kdPrf} (${names.kdPrf}) has no keys`,
    );
  }
  const interval = intervalOf(path, name, surroundings);
  warnOfInterval(interval, senderIds, names.keyChain, surroundings.warn);
  const isSame = senderIds.first === senderIds.last;
  if (isSame && settings.values.stateDir === NO_STATE_DIR) {
    surroundings.warn(
      `${names.keyChain} with ${names.stateDir} ${NO_STATE_DIR} and one ` +
        "sender id (--sender-id): whoever starts again within an epoch uses " +
        "its key streams again; give a state folder, or several sender ids",
    );
  }
  return true;
}

function intervalOf(
  path: string,
  name: string,
  { files, warn }: Surroundings,
): number {
  try {
    const link = readKeyChain(path, name, files, warn);
    link.key.fill(0);
    return link.interval;
  } catch (error) {
    throw new OptionFault(`Cannot use ${name}: ${reasonOf(error)}`, error);
  }
}

/**
 * Reads a file that nobody else must have access to. Where root alone could see
 * to that, it is used with a warning.
 *
 * @param name What warnings call it
 * @returns A link whose key the caller overwrites
 * @throws if it is of no use
 */
export function readKeyChain(
  path: string,
  name: string,
  files: Pick<HostFiles, "readKeyChain">,
  warn: Warn,
): ChainLink {
  const { bytes, isPublic, isRoots } = files.readKeyChain(path);
  try {
    const why = `others have access to the file, use chmod 600 '${path}'`;
    if (isPublic && !isRoots) throw new Error(why);
    const link = parseChainFile(bytes);
    if (isPublic) warn(`${name}: ${why} as root, who alone can`);
    return link;
  } finally {
    bytes.fill(0);
  }
}

/** Nothing is sent once the numbers of an epoch are used up. */
function warnOfInterval(
  interval: number,
  { first, last }: SenderIdRange,
  name: string,
  warn: Warn,
): void {
  const senders = Math.min(last - first + 1, MAX_SENDER_IDS);
  const seconds = Math.floor(senders * SEQ_RANGE / PEAK_RATE);
  if (interval <= seconds) return;
  warn(
    `the interval of ${name} is ${durationOption(interval)}: at ${PEAK_RATE} ` +
      `packets a second the numbers of an epoch are used up after ` +
      `${seconds} s, and nothing is sent until the next; use genkey ` +
      "--interval 2h, or several sender ids (--sender-id)",
  );
}
