// Memory of the replay windows of all connections, and its bound.
import { REDUCED_BYTES, ReducedRoom } from "./reduced_senders.ts";
import { SenderPool } from "./sender_pool.ts";

/** What windows take together unless they are told otherwise. */
export const DEFAULT_REPLAY_BYTES = 128 << 20;

/**
 * What was lost: `bits`, so that late datagrams of a sender are refused though
 * they were not seen; or `sender`, so that its recordings count as new.
 */
export type ReplayLoss = "bits" | "sender";

/** What windows take of it. */
interface ReplayRooms {
  readonly senders: SenderPool;
  readonly reduced: ReducedRoom;
  /** To be called when a sender is reduced. */
  readonly lost: (loss: ReplayLoss) => void;
}

/**
 * Bound on what several {@linkcode ReplayWindow}s remember together. Where it is
 * reached, the sender that has been silent longest, of whichever window, keeps
 * its highest number alone: all up to that count as seen. Only where a quarter
 * of the memory holds nothing but such numbers, one of them is forgotten for
 * each new one: the oldest of a window that has many of them, so that no peer
 * has the numbers of another one forgotten.
 */
export class ReplayMemory {
  /** @internal */
  readonly rooms: ReplayRooms;

  /**
   * Makes an empty memory.
   *
   * @param bytes What all windows take together, roughly
   * @param lost Called whenever the bound costs something
   */
  constructor(
    bytes: number = DEFAULT_REPLAY_BYTES,
    lost: (loss: ReplayLoss) => void = () => {},
  ) {
    const mostReduced = Math.floor(bytes / 4 / REDUCED_BYTES);
    this.rooms = {
      senders: new SenderPool(bytes - mostReduced * REDUCED_BYTES),
      reduced: new ReducedRoom(mostReduced, () => lost("sender")),
      lost,
    };
  }

  /** Bytes taken at present, roughly. */
  get bytes(): number {
    const { senders, reduced } = this.rooms;
    return senders.bytes + reduced.bytes;
  }
}
