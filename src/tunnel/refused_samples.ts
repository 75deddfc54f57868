// Samples of refused datagrams, for those who can try other keys: a few of each
// kind of sender, and only where the main thread asks for them.
import {
  sameSockaddr,
  SOCKADDR_WORDS,
  sockaddrFamily,
} from "../../ffi/net/sockaddr.ts";
import { readSenderId } from "../satp/header.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionTable } from "./connection_table.ts";

/**
 * From whom a datagram seems to be. A flood that poses as one kind takes the
 * place of no other: forging an endpoint takes an address, a sender id a look
 * at the traffic, and the peer is known by both.
 */
export const SenderKind = {
  PEER: 8,
  KNOWN_ID: 1,
  KNOWN_ENDPOINT: 2,
  STRANGER: 4,
} as const;

export type SenderKind = typeof SenderKind[keyof typeof SenderKind];

export const SENDER_KINDS: readonly SenderKind[] = Object.values(SenderKind);

/** Of a kind at a time: one of each lot of senders that is asked. */
export const MOST_SAMPLES = 4;
/** A bit for each of them that is still to come. */
const LOTS_OF_KIND = 0xf;
const ALL_LOTS = 0xffff;
const SEED_SHIFT = 16;
const HAS_LOTS = 0x8000;
/** In the seed: how many lots there are, of which the first few are asked. */
const DIVISION = 3;

export interface RefusedDatagram {
  readonly mux: number;
  readonly kind: SenderKind;
  readonly datagram: Uint8Array;
}

/**
 * What the record of a connection says: the kinds that are asked for, as a sum.
 * Senders are in lots, of which each may answer once.
 *
 * @param random Divides them; without it all are one lot, and what looks like a
 * replay is no sample
 * @param isNarrow Makes more lots than may answer, perhaps thousands: who floods
 * from many addresses is not in all of them
 */
export function question(
  kinds: number,
  random?: number,
  isNarrow = false,
): number {
  const lots = random === undefined ? 1 : LOTS_OF_KIND;
  const asked = SENDER_KINDS.filter((kind) => (kinds & kind) !== 0)
    .reduce((sum, kind) => sum | lots << shiftOf(kind), 0);
  if (asked === 0 || random === undefined) return asked;
  const seed = isNarrow ? random : random & ~DIVISION;
  return (asked | (seed | HAS_LOTS) << SEED_SHIFT) >>> 0;
}

/**
 * Whether a sample may have a number that was heard before: it is of an epoch of
 * a key chain whose keys are not here. Who looks for other faults does without,
 * so that asking leaves the defence against floods of recordings as it is.
 */
export function wantsReplays(asked: number): boolean {
  return asked >>> SEED_SHIFT !== 0;
}

/** For a thread that receives. */
export class RefusedSamples {
  readonly #table: ConnectionTable;
  readonly #give: (refused: RefusedDatagram) => void;

  /** @param give Gets a copy */
  constructor(
    table: ConnectionTable,
    give: (refused: RefusedDatagram) => void,
  ) {
    this.#table = table;
    this.#give = give;
  }

  /** @param source Where the sender's address lies in `words` */
  offer(
    connection: Connection,
    memory: Uint8Array,
    at: number,
    size: number,
    words: Uint32Array,
    source: number,
  ): void {
    const { mux } = connection;
    const asked = this.#table.asked(mux);
    if ((asked & ALL_LOTS) === 0) return;
    const senderId = readSenderId(memory, at);
    const kind = kindOf(connection, senderId, words, source);
    const shift = shiftOf(kind);
    if ((asked >>> shift & LOTS_OF_KIND) === 0) return;
    const lot = lotOf(asked >>> SEED_SHIFT, senderId, words, source);
    if (lot >= MOST_SAMPLES) return;
    if (!this.#table.takeAsked(mux, 1 << shift + lot)) return;
    const datagram = memory.slice(at, at + size);
    this.#give({ mux, kind, datagram });
  }
}

function kindOf(
  { endpoint, sets }: Connection,
  senderId: number,
  words: Uint32Array,
  source: number,
): SenderKind {
  const isAtHome = sameSockaddr(endpoint, 0, words, source);
  if (sets.some(({ replay }) => replay.highest(senderId) !== undefined)) {
    return isAtHome ? SenderKind.PEER : SenderKind.KNOWN_ID;
  }
  return isAtHome ? SenderKind.KNOWN_ENDPOINT : SenderKind.STRANGER;
}

function shiftOf(kind: SenderKind): number {
  return MOST_SAMPLES * (31 - Math.clz32(kind));
}

/** Another one for each sender and question, which nobody outside knows. */
function lotOf(
  seed: number,
  senderId: number,
  words: Uint32Array,
  source: number,
): number {
  if ((seed & HAS_LOTS) === 0) return 0;
  let hash = Math.imul(seed ^ senderId << 16, 0x9e3779b1);
  // Behind an address of IPv4 lies what was there before.
  const end = sockaddrFamily(words, source) === 6 ? SOCKADDR_WORDS : 2;
  for (let k = 0; k < end; k++) {
    hash = Math.imul(
      (hash ^ hash >>> 15) + (words[source + k] ?? 0),
      0x85ebca6b,
    );
  }
  const lots = MOST_SAMPLES << 3 * (seed & DIVISION);
  return (hash ^ hash >>> 13) & lots - 1;
}
