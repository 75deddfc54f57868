// Messages between members of ours, in frames of their own beside the records
// that the originals know (docs/sync-extension.md).
//
// A client says `hello`, which originals ignore. Only who has said it is sent
// what stands here: an original never sees any of it.
import { formatAddress, parseAddress } from "../net/address.ts";
import { U16_MAX } from "../net/decimal.ts";
import type { Route } from "../route/route.ts";
import { decodeRecord } from "./decode.ts";
import { encodeRecord, frameText } from "./encode.ts";
import { latin1 } from "./latin1.ts";
import type { SyncRecord } from "./record.ts";
import { isId, isNumber, malformed, Words } from "./words.ts";

const VERSION = 1;

/** A server reads no more of what a client says. */
export const MAX_HELLO_BYTES = 128;

const ID_BYTES = 8;
/** Of an original, or of a server that says nothing of its origin. */
const NOBODY = "-";

/** When a fact was last stated, and by whom: the later one counts. */
export interface Stamp {
  /** Milliseconds since 1970, or one more than the last of this origin. */
  readonly version: number;
  /** The instance that stated it. */
  readonly origin: string;
}

/** What a record is about. */
export type Subject =
  | { readonly command: "connection"; readonly mux: number }
  | Pick<Route, "network" | "prefixLength"> & { readonly command: "route" };

export interface Hello {
  /** The instance that says it. */
  readonly from: string;
  /** The instance of the server that it has heard last, and how much of it. */
  readonly known: string | undefined;
  readonly revision: number;
}

export interface Welcome {
  readonly word: "welcome";
  readonly instance: string;
  /** What follows is all that has changed since; 0 for a whole table. */
  readonly since: number;
  /**
   * What the server has stated before and states no more is older than this:
   * when it began, or where it is the instance that is known, now.
   */
  readonly version: number;
}

export interface Put {
  readonly word: "put";
  readonly revision: number;
  /** undefined where it was learnt from an original. */
  readonly stamp: Stamp | undefined;
  readonly record: SyncRecord;
}

export interface Gone {
  readonly word: "gone";
  readonly revision: number;
  readonly stamp: Stamp;
  readonly subject: Subject;
}

/** All changes up to a revision have been told. */
export interface Progress {
  readonly word: "at" | "all" | "some";
  readonly revision: number;
}

/** A message that has no revision and is not repeated. */
interface Say {
  readonly word: "say";
  readonly kind: string;
  readonly body: string;
}

export type ServerMessage = Welcome | Put | Gone | Progress | Say;

/** @returns A random name of a process, in hexadecimal digits */
export function instanceId(
  random: (words: Uint32Array<ArrayBuffer>) => void,
): string {
  const words = new Uint32Array(ID_BYTES / 4);
  random(words);
  return Array.from(words, (word) => word.toString(16).padStart(8, "0"))
    .join("");
}

export function formatHello({ from, known, revision }: Hello): string {
  return frameText(
    ["hello", VERSION, from, known ?? NOBODY, revision].join(" "),
  );
}

/** @returns undefined for anything else: the client is an original */
export function parseHello(text: string): Hello | undefined {
  const words = text.split(" ");
  const [word, version, from, known, revision] = words;
  if (word !== "hello" || !isNumber(version) || Number(version) < VERSION) {
    return undefined;
  }
  if (!isId(from) || !isNumber(revision)) return undefined;
  if (known !== NOBODY && !isId(known)) return undefined;
  return {
    from,
    known: known === NOBODY ? undefined : known,
    revision: Number(revision),
  };
}

/** @returns A frame for the stream */
export function formatMessage(message: ServerMessage): string {
  switch (message.word) {
    case "welcome": {
      const { instance, since, version } = message;
      return frameText(
        ["welcome", VERSION, instance, since, version].join(" "),
      );
    }
    case "put": {
      const { revision, stamp, record } = message;
      return formatPut(revision, stamp, encodeRecord(record));
    }
    case "gone": {
      const { revision, stamp, subject } = message;
      const { version, origin } = stamp;
      return frameText(
        ["gone", revision, version, origin, keyOf(subject)].join(" "),
      );
    }
    case "say":
      return frameText(`say ${message.kind} ${message.body}`);
    default:
      return frameText(`${message.word} ${message.revision}`);
  }
}

/** @param record As for an original, with its length */
export function formatPut(
  revision: number,
  stamp: Stamp | undefined,
  record: string,
): string {
  const { version, origin } = stamp ?? { version: 0, origin: NOBODY };
  return frameText(
    ["put", revision, version, origin, record.slice(record.indexOf(" ") + 1)]
      .join(" "),
  );
}

/** Whether a server answers a hello with this. */
export function isWelcome(text: Uint8Array): boolean {
  return latin1(text.subarray(0, 8)) === "welcome ";
}

/**
 * @returns undefined for what later versions may add
 * @throws {SyncError} if it is no message, or holds what cannot be
 */
export function parseMessage(text: Uint8Array): ServerMessage | undefined {
  const words = new Words(text);
  const word = words.next("word");
  switch (word) {
    case "welcome":
      words.number("protocol version");
      return {
        word,
        instance: words.id("instance"),
        since: words.number("revision"),
        version: words.number("version"),
      };
    case "put": {
      const revision = words.number("revision");
      const stamp = stampOf(words);
      const record = decodeRecord(words.rest());
      return record && { word, revision, stamp, record };
    }
    case "gone": {
      const revision = words.number("revision");
      const stamp = stampOf(words);
      if (stamp === undefined) throw malformed("a removal has no origin");
      const subject = parseKey(latin1(words.rest()));
      return { word, revision, stamp, subject };
    }
    case "at":
    case "all":
    case "some":
      return { word, revision: words.number("revision") };
    case "say": {
      const kind = words.next("kind");
      return { word, kind, body: printable(words.rest()) };
    }
    default:
      if (/^[a-z]{1,16}$/.test(word)) return undefined;
      throw malformed("it does not begin with a word");
  }
}

export function subjectOf(record: SyncRecord): Subject {
  const { command, mux } = record;
  if (command === "connection") return { command, mux };
  const { network, prefixLength } = record;
  return { command, network, prefixLength };
}

/** The same for the same subject, and as it is written on the wire. */
export function keyOf(subject: Subject): string {
  if (subject.command === "connection") return `connection ${subject.mux}`;
  const { network, prefixLength } = subject;
  const address = network.family === "ethernet"
    ? String(network.value)
    : formatAddress(network);
  return `route ${network.family} ${address} ${prefixLength}`;
}

function parseKey(text: string): Subject {
  const [command, ...rest] = text.split(" ");
  if (command === "connection") {
    const [mux, ...others] = rest;
    if (!isNumber(mux) || Number(mux) > U16_MAX || others.length > 0) {
      throw malformed("it has no mux");
    }
    return { command, mux: Number(mux) };
  }
  if (command !== "route") throw malformed("it is about neither of both");
  const [family, address = "", length, ...others] = rest;
  if (!isNumber(length) || Number(length) > 255 || others.length > 0) {
    throw malformed("it has no prefix length");
  }
  const prefixLength = Number(length);
  if (family === "ethernet") {
    if (!/^\d{1,20}$/.test(address)) throw malformed("it has no address");
    const value = BigInt(address);
    if (value >> 64n !== 0n) throw malformed("its address is too large");
    return { command, network: { family, value }, prefixLength };
  }
  const network = parseAddress(address);
  if (
    network === undefined || network.zone !== undefined ||
    String(network.family) !== family
  ) throw malformed("it has no address");
  return { command, network, prefixLength };
}

function stampOf(words: Words): Stamp | undefined {
  const version = words.number("version");
  const origin = words.next("origin");
  if (origin === NOBODY && version === 0) return undefined;
  if (!isId(origin)) throw malformed("its origin is no identity");
  return { version, origin };
}

function printable(bytes: Uint8Array): string {
  const text = latin1(bytes);
  if (/^[ -~]*$/.test(text)) return text;
  throw malformed("it holds characters that are not ASCII");
}
