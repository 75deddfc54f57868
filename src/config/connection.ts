// Options of one connection (CLI section 2).
import { parseDecimal, U16_MAX } from "../net/decimal.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import { MAX_WINDOW_SIZE } from "../satp/replay_window.ts";
import { type Role, roleFromName } from "../satp/params.ts";
import { SyntaxFault } from "./fault.ts";
import {
  anyText,
  BadValue,
  decimal,
  flag,
  optional,
  repeated,
  type Single,
  withDefault,
} from "./option.ts";
import type { Settings } from "./values.ts";
import { ANY_SENDER_ID, type SenderIdRange } from "../tunnel/settings.ts";

/** The one that the originals have unless they are told another. */
export const DEFAULT_SENDER_ID: SenderIdRange = { first: 0, last: 0 };

const WINDOW_HELP =
  "how late a packet may come without being taken for a replay; 0 accepts " +
  "replays";

/** Late packets of a fast link fit into it. */
const KEPT_WINDOW_SIZE = 1024;

/** As a state folder: nothing is kept. */
export const NO_STATE_DIR = "none";

/** Of controld, which may run as another user than anytun. */
export const DEFAULT_FLEET_FOLDER = "/var/lib/anytun-controld";

export const senderIdRow = optional({
  group: "Connection",
  short: "-s",
  long: "--sender-id",
  argument: "ids",
  parse: senderIds,
  choices: ["auto"],
  help: "tells apart servers that share one address, and one start from the " +
    "next: a number, a range such as 256-511 to take from at random, or auto " +
    "for any (default auto; with -S, -M or -X 0)",
});

/** Not in a jail, nor as another user: it is opened before. */
export const stateDirRow = optional({
  group: "Connection",
  long: "--state-dir",
  argument: "folder",
  parse: anyText,
  help: "keeps which sequence numbers and sender ids were used and accepted, " +
    "so that a restart goes on above them; none keeps nothing (default " +
    "$STATE_DIRECTORY, else /var/lib/anytun if it can be written)",
});

export const allowWrapRow = flag({
  group: "Connection",
  long: "--allow-wrap",
  help: "go on sending when all sequence numbers are used, with key streams " +
    "that were used before, as the originals do",
});

export const muxRow = withDefault({
  group: "Connection",
  short: "-m",
  long: "--mux",
  argument: "number",
  parse: decimal(0, U16_MAX),
  default: 0,
  help: "number of the connection, the same on both sides",
});

/**
 * `-w`, for those who know nothing of the peer.
 * @param max The most sequence numbers that a replay window can span
 */
export function windowSizeRow(max: number): Single<number, number> {
  return withDefault({
    group: "Connection",
    short: "-w",
    long: "--window-size",
    argument: "number",
    parse: decimal(0, max),
    default: 0,
    help: WINDOW_HELP,
  });
}

/** `-w` of a daemon, whose other options decide on its default. */
export const ownWindowSizeRow = optional({
  group: "Connection",
  short: "-w",
  long: "--window-size",
  argument: "number",
  parse: decimal(0, MAX_WINDOW_SIZE),
  help: `${WINDOW_HELP} (default 0, for peers that count from 0 again with ` +
    "each start; with a key chain, or a state folder that is named, " +
    `${KEPT_WINDOW_SIZE})`,
});

/**
 * Without `-w` there is a window where restarts do not end in it: with the keys
 * of a chain, which only a peer of ours has, or where somebody has chosen that
 * numbers are kept. That a default folder is there says nothing of the peer: an
 * original one would be refused after each of its restarts (SATP section 9).
 */
export function windowSizeOf(
  { windowSize, keyChain, stateDir = NO_STATE_DIR }: {
    readonly windowSize: number | undefined;
    readonly keyChain?: string | undefined;
    readonly stateDir?: string | undefined;
  },
): number {
  const keepsNumbers = keyChain !== undefined || stateDir !== NO_STATE_DIR;
  return windowSize ?? (keepsNumbers ? KEPT_WINDOW_SIZE : 0);
}

export const roleRow = withDefault({
  group: "Connection",
  short: "-e",
  long: "--role",
  argument: "role",
  // Checked after all arguments were read, as in the original.
  parse: anyText,
  choices: ["left", "right", "alice", "bob", "server", "client"],
  default: "left",
  help: "left (alice, server) or right (bob, client); the peer is the other",
});

/** `-R`; each value is a list of its own. */
export const routesRow = repeated({
  group: "Connection",
  short: "-R",
  long: "--route",
  argument: "net/length,...",
  parse: routes,
  help: "networks that lie behind the peer; may be given several times",
});

function senderIds(text: string): SenderIdRange {
  if (text === "auto") return ANY_SENDER_ID;
  const [from = "", to = from, ...others] = text.split("-");
  const first = parseDecimal(from, 0, U16_MAX);
  const last = parseDecimal(to, 0, U16_MAX);
  const isRange = others.length === 0 && first !== undefined &&
    last !== undefined && first <= last;
  if (isRange) return { first, last };
  throw new BadValue(
    `a decimal number from 0 to ${U16_MAX}, a range of them such as 256-511, ` +
      "or auto",
  );
}

export function routes(text: string): readonly Prefix[] {
  return text.split(",").map((element) => {
    const expected = "networks and prefix lengths, such as 10.0.0.0/8";
    if (!element.includes("/")) {
      throw new BadValue(expected, element.length, element);
    }
    const prefix = parsePrefix(element);
    if (prefix === undefined) throw new BadValue(expected, 0, element);
    return prefix;
  });
}

export function roleOf(
  { values, names }: Settings<{ readonly role: typeof roleRow }>,
): Role {
  const role = roleFromName(values.role);
  if (role !== undefined) return role;
  throw new SyntaxFault(
    `unknown role name: ${values.role}`,
    undefined,
    `${names.role} (-e) needs left, alice or server; or right, bob or client`,
  );
}
