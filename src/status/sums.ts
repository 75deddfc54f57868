// Sums of the counters of a report, by the one table of counters.
import {
  CONNECTION_COUNTER_INFOS,
  ConnectionCounter,
  type CounterInfo,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";
import type { Counts } from "./report.ts";

interface Traffic {
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly packetsOut: number;
  readonly packetsIn: number;
  /** Everything of a connection that did not get where it should. */
  readonly losses: number;
}

/**
 * Datagrams of peers, whatever is in them. What strangers send counts for
 * nothing: there is always some.
 */
export const FROM_PEERS = [
  ConnectionCounter.PACKETS_IN,
  ConnectionCounter.NO_PAYLOAD,
  ConnectionCounter.WRONG_PAYLOAD_TYPE,
];

const { BYTES_OUT, BYTES_IN, PACKETS_OUT, PACKETS_IN } = ConnectionCounter;

export function trafficOf(counters: Counts): Traffic {
  const of = (index: number) => counters[nameOf(index)] ?? 0;
  return {
    bytesOut: of(BYTES_OUT),
    bytesIn: of(BYTES_IN),
    packetsOut: of(PACKETS_OUT),
    packetsIn: of(PACKETS_IN),
    losses: lossesOf(CONNECTION_COUNTER_INFOS, counters)
      .reduce((sum, { amount }) => sum + amount, 0),
  };
}

export function datagramsFromPeers(counters: Counts): number {
  return FROM_PEERS
    .reduce((sum, index) => sum + (counters[nameOf(index)] ?? 0), 0);
}

interface Loss {
  readonly info: CounterInfo;
  readonly amount: number;
}

/** Causes that there were, in the order of the table. */
function lossesOf(
  infos: readonly CounterInfo[],
  counters: Counts,
): readonly Loss[] {
  return infos.filter(({ isLoss }) => isLoss)
    .map((info) => ({ info, amount: counters[info.name] ?? 0 }))
    .filter(({ amount }) => amount > 0);
}

export function planeLosses(counters: Counts): readonly Loss[] {
  return lossesOf(PLANE_COUNTER_INFOS, counters);
}

function nameOf(index: number): string {
  return CONNECTION_COUNTER_INFOS.find((info) => info.index === index)?.name ??
    "";
}
