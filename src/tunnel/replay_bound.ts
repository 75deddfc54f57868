// Bounds on what one thread remembers of accepted numbers, in memory and beyond
// the process, with a log line where they cost something.
import { type PagesPlace, wordsAt } from "../../ffi/process/shared_pages.ts";
import { DEFAULT_REPLAY_BYTES, ReplayMemory } from "../satp/replay_memory.ts";
import { AcceptedMemory, type MuxShare } from "../state/accepted_memory.ts";
import { count, PlaneCounter } from "./counters.ts";
import type { PlaneLog } from "./plane_log.ts";

/** Of the numbers that were accepted: a file, or memory of this process. */
export type AcceptedPlace = PagesPlace | SharedArrayBuffer;

/** However many threads receive: windows may be large, and peers few. */
const LEAST_BYTES = 32 << 20;

/** @param receivers Threads that share what all windows may take */
export function boundedReplayMemory(
  counters: Float64Array,
  log: Pick<PlaneLog, "replayLoss">,
  receivers = 1,
): ReplayMemory {
  const bytes = Math.max(LEAST_BYTES, DEFAULT_REPLAY_BYTES / receivers);
  return new ReplayMemory(bytes, (loss) => {
    const what = loss === "bits"
      ? PlaneCounter.WINDOWS_DROPPED
      : PlaneCounter.SENDERS_FORGOTTEN;
    count(counters, what);
    log.replayLoss(loss);
  });
}

export function acceptedWords(place: AcceptedPlace): Uint32Array {
  return place instanceof SharedArrayBuffer
    ? new Uint32Array(place)
    : wordsAt(place);
}

/** @param share Of connections, where several threads receive */
export function openAcceptedMemory(
  place: AcceptedPlace,
  log: Pick<PlaneLog, "acceptedFull">,
  share?: MuxShare,
): AcceptedMemory {
  let isTold = false;
  return new AcceptedMemory(acceptedWords(place), share, () => {
    if (!isTold) log.acceptedFull();
    isTold = true;
  });
}
