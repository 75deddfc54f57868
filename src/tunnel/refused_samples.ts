// Samples of refused datagrams, for those who can try other keys: one of each
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

const ALL_KINDS = 15;
const IS_NARROW = 16;
const LOT_SHIFT = 5;
const LOT_MASK = 0xfffff;
/** Of so many senders a narrow question is for one. */
const LOTS = 16;

export interface RefusedDatagram {
  readonly mux: number;
  readonly kind: SenderKind;
  readonly datagram: Uint8Array;
}

/**
 * What the record of a connection says: the kinds that are asked for, as a sum.
 *
 * @param lot Chooses the senders that may answer, at random; without it all may
 */
export function question(kinds: number, lot?: number): number {
  if (kinds === 0) return 0;
  if (lot === undefined) return kinds & ALL_KINDS;
  return (lot & LOT_MASK) << LOT_SHIFT | IS_NARROW | kinds & ALL_KINDS;
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
    if (asked === 0) return;
    const senderId = readSenderId(memory, at);
    const kind = kindOf(connection, senderId, words, source);
    if ((asked & kind) === 0) return;
    const isNarrow = (asked & IS_NARROW) !== 0;
    if (isNarrow && lotOf(asked, senderId, words, source) !== 0) return;
    if (!this.#table.takeAsked(mux, kind)) return;
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

/** Another one for each sender and question, which nobody outside knows. */
function lotOf(
  asked: number,
  senderId: number,
  words: Uint32Array,
  source: number,
): number {
  let hash = Math.imul(asked >>> LOT_SHIFT ^ senderId << 12, 0x9e3779b1);
  // Behind an address of IPv4 lies what was there before.
  const end = sockaddrFamily(words, source) === 6 ? SOCKADDR_WORDS : 2;
  for (let k = 0; k < end; k++) {
    hash = Math.imul(
      (hash ^ hash >>> 15) + (words[source + k] ?? 0),
      0x85ebca6b,
    );
  }
  return (hash ^ hash >>> 13) >>> 0 & LOTS - 1;
}
