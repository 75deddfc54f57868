// Workers by flow: the shares of a tunnel with several connections. A connection
// comes in at one worker, so that its replay window has one judge. A flow goes
// out by one worker, with a sender id that no other worker has: what its peer
// gets of each sender id is in order, and no two workers use a number twice.
import type { DeviceQueues } from "../../../ffi/tuntap/queues.ts";
import type { ConnectionTable } from "../connection_table.ts";
import { idsByGeneration } from "../sender_ids.ts";
import type { TunnelSettings } from "../settings.ts";
import type { SendSockets } from "./gso_sender.ts";
import type { CrewMember } from "./messages.ts";

/** How many workers have each way. */
export interface Crew {
  readonly readers: number;
  readonly receivers: number;
}

/** Sockets of one worker. */
export interface WorkerSockets {
  readonly send: SendSockets;
  readonly receiveFrom: readonly number[];
}

/**
 * Where the sender ids do not suffice one worker has the whole way out, and the
 * others share the way in.
 *
 * @returns undefined where workers by flow are of no use
 */
export function crewOf(workers: number, senderIds: number): Crew | undefined {
  if (workers < 2) return undefined;
  if (senderIds >= workers) return { readers: workers, receivers: workers };
  return workers === 2 ? undefined : { readers: 1, receivers: workers - 1 };
}

/** @param sockets Of each receiver */
export function membersOf(
  { readers, receivers }: Crew,
  settings: TunnelSettings,
  { readFrom, writeTo }: DeviceQueues,
  sockets: readonly WorkerSockets[],
  table: ConnectionTable,
): readonly CrewMember[] {
  const areAlike = readers === receivers;
  const workers = areAlike ? readers : readers + receivers;
  return Array.from({ length: workers }, (_, k) => {
    const role = areAlike ? "all" : k === 0 ? "send" : "receive";
    const index = areAlike || k === 0 ? k : k - 1;
    const { send = {}, receiveFrom = [] } = sockets[index] ?? {};
    const to = writeTo[index] ?? -1;
    return {
      role,
      settings: { ...settings, senderIds: idsOf(settings, index, readers) },
      device: role === "receive" ? to : readFrom[index] ?? -1,
      sockets: send,
      receiveFrom: role === "send" ? [] : receiveFrom,
      share: {
        index,
        of: receivers,
        writeTo: to,
        counters: k === 0 ? undefined : table.counters.addThread(),
      },
    };
  });
}

// As many for each, so that all of them come to the last one together; and the
// first ones of all before the second ones, see idsByGeneration().
function idsOf(
  { senderIds }: TunnelSettings,
  index: number,
  readers: number,
): readonly number[] {
  return idsByGeneration(senderIds, readers)
    .map((ids) => ids[index % readers] ?? 0);
}
