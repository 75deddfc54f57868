// Counters of the data plane: shared doubles, each with one writer, exact up to
// 2^53.

export interface CounterInfo {
  readonly index: number;
  /** As Prometheus wants names, without a prefix. */
  readonly name: string;
  readonly help: string;
  /** What stands behind the number in a log line. */
  readonly text: string;
  /**
   * What was counted is gone. Without it nothing is dropped for it: what becomes
   * of the packet is counted as well.
   */
  readonly isLoss?: true;
}

/** Counters of a connection: index into its array. */
export const ConnectionCounter = {
  PACKETS_OUT: 0,
  BYTES_OUT: 1,
  SEND_FAILED: 2,
  PACKETS_IN: 3,
  BYTES_IN: 4,
  WRONG_TAG: 5,
  REPLAYED: 6,
  NO_PAYLOAD: 7,
  WRONG_PAYLOAD_TYPE: 8,
  SEND_DROPPED: 9,
  WRONG_SOURCE: 10,
  KEEPALIVES_OUT: 11,
  CONGESTED: 12,
} as const;

export const CONNECTION_COUNTER_INFOS: readonly CounterInfo[] = [
  {
    index: ConnectionCounter.PACKETS_OUT,
    name: "packets_out_total",
    help: "Packets from the device that were sealed for the peer.",
    text: "packets out",
  },
  {
    index: ConnectionCounter.BYTES_OUT,
    name: "bytes_out_total",
    help: "Bytes of the packets from the device that were sealed for the peer.",
    text: "bytes out",
  },
  {
    index: ConnectionCounter.PACKETS_IN,
    name: "packets_in_total",
    help: "Packets from the peer that passed all checks.",
    text: "packets in",
  },
  {
    index: ConnectionCounter.BYTES_IN,
    name: "bytes_in_total",
    help: "Bytes of the packets from the peer that passed all checks.",
    text: "bytes in",
  },
  {
    index: ConnectionCounter.SEND_FAILED,
    name: "send_failed_total",
    help: "Datagrams that the network refused to send.",
    text: "not sent",
    isLoss: true,
  },
  {
    index: ConnectionCounter.SEND_DROPPED,
    name: "send_dropped_total",
    help: "Datagrams dropped because the buffer of the socket was full.",
    text: "dropped before a full uplink",
    isLoss: true,
  },
  {
    index: ConnectionCounter.WRONG_TAG,
    name: "wrong_tag_total",
    help: "Received datagrams with a wrong authentication tag.",
    text: "with a wrong tag",
    isLoss: true,
  },
  {
    index: ConnectionCounter.REPLAYED,
    name: "replayed_total",
    help:
      "Datagrams refused by the replay window: authentic ones, and while there are many of them also those whose tag nobody has looked at.",
    text: "replayed",
    isLoss: true,
  },
  {
    index: ConnectionCounter.NO_PAYLOAD,
    name: "no_payload_total",
    help: "Authentic datagrams without a payload.",
    text: "without payload",
  },
  {
    index: ConnectionCounter.WRONG_PAYLOAD_TYPE,
    name: "wrong_payload_type_total",
    help: "Authentic datagrams with a payload that the device does not take.",
    text: "of a wrong type",
    isLoss: true,
  },
  {
    index: ConnectionCounter.WRONG_SOURCE,
    name: "wrong_source_total",
    help:
      "Packets from the peer with a source address that is not routed to it.",
    text: "from a source that is not routed to it",
    isLoss: true,
  },
  {
    index: ConnectionCounter.KEEPALIVES_OUT,
    name: "keepalives_out_total",
    help: "Datagrams without payload that were sent to the peer (--keepalive).",
    text: "keep-alives out",
  },
  {
    index: ConnectionCounter.CONGESTED,
    name: "congested_total",
    help:
      "Packets from the peer that met congestion on the way, dropped because their sender does not take ECN marks (--ecn).",
    text: "dropped for congestion on the way",
    isLoss: true,
  },
];

export const CONNECTION_COUNTERS = CONNECTION_COUNTER_INFOS.length;

/** Counters of what belongs to no connection: index into the plane's array. */
export const PlaneCounter = {
  NOWHERE_TO_SEND: 0,
  TOO_LONG_OUT: 1,
  MALFORMED_OUT: 2,
  TOO_SHORT_IN: 3,
  TOO_LONG_IN: 4,
  UNKNOWN_MUX: 5,
  DEVICE_REFUSED: 6,
  INTERNAL_ERROR: 7,
  OUT_OF_NUMBERS: 8,
  OTHER_WORKER: 9,
  WINDOWS_DROPPED: 10,
  SENDERS_FORGOTTEN: 11,
  FORGED_JOINED: 12,
  MSS_LOWERED: 13,
  TOO_BIG_ANSWERED: 14,
  PATH_MTU_LOWERED: 15,
  RECEIVE_DROPPED: 16,
  DEVICE_DROPPED: 17,
  LONG_WAITS: 18,
} as const;

export const PLANE_COUNTER_INFOS: readonly CounterInfo[] = [
  {
    index: PlaneCounter.NOWHERE_TO_SEND,
    name: "nowhere_to_send_total",
    help: "Packets from the device without a connection or an endpoint.",
    text: "with nowhere to send them",
    isLoss: true,
  },
  {
    index: PlaneCounter.TOO_LONG_OUT,
    name: "too_long_out_total",
    help:
      "Packets from the device that are too long for the buffer of a peer, or for the path to it (--mtu-disc).",
    text: "too long to send",
    isLoss: true,
  },
  {
    index: PlaneCounter.MALFORMED_OUT,
    name: "malformed_out_total",
    help:
      "Packets from the device that are malformed, or neither IPv4 nor IPv6.",
    text: "malformed on the device",
    isLoss: true,
  },
  {
    index: PlaneCounter.TOO_SHORT_IN,
    name: "too_short_in_total",
    help: "Received datagrams that are too short for header and tag.",
    text: "too short",
    isLoss: true,
  },
  {
    index: PlaneCounter.TOO_LONG_IN,
    name: "too_long_in_total",
    help: "Received datagrams that are longer than any peer sends.",
    text: "too long",
    isLoss: true,
  },
  {
    index: PlaneCounter.UNKNOWN_MUX,
    name: "unknown_mux_total",
    help: "Received datagrams with a mux that has no connection.",
    text: "of an unknown mux",
    isLoss: true,
  },
  {
    index: PlaneCounter.DEVICE_REFUSED,
    name: "device_refused_total",
    help: "Packets that the device did not take.",
    text: "refused by the device",
    isLoss: true,
  },
  {
    index: PlaneCounter.INTERNAL_ERROR,
    name: "internal_error_total",
    help: "Packets of batches that were given up because of an internal error.",
    text: "lost to internal errors",
    isLoss: true,
  },
  {
    index: PlaneCounter.OUT_OF_NUMBERS,
    name: "out_of_numbers_total",
    help:
      "Packets from the device for a connection that has used all its sequence numbers, or cannot keep which it uses.",
    text: "for want of sequence numbers",
    isLoss: true,
  },
  {
    index: PlaneCounter.OTHER_WORKER,
    name: "other_worker_total",
    help:
      "Received datagrams that came joined behind one for another worker (--workers).",
    text: "joined behind those for another worker",
    isLoss: true,
  },
  {
    index: PlaneCounter.WINDOWS_DROPPED,
    name: "windows_dropped_total",
    help:
      "Sender ids of which, for want of replay memory, only the highest number was kept: all numbers up to it are refused.",
    text: "windows of silent senders",
    isLoss: true,
  },
  {
    index: PlaneCounter.SENDERS_FORGOTTEN,
    name: "senders_forgotten_total",
    help:
      "Sender ids of which, for want of replay memory, nothing was kept: recordings of theirs count as new.",
    text: "silent senders altogether",
    isLoss: true,
  },
  {
    index: PlaneCounter.FORGED_JOINED,
    name: "forged_joined_total",
    help:
      "Received datagrams that came joined with one whose tag is wrong, from where no peer is known.",
    text: "joined with one that has a wrong tag",
    isLoss: true,
  },
  {
    index: PlaneCounter.MSS_LOWERED,
    name: "mss_lowered_total",
    help:
      "SYN packets of TCP connections through the tunnel, of either way, that asked for longer segments than fit (--mss).",
    text: "with an MSS that was lowered",
  },
  {
    index: PlaneCounter.TOO_BIG_ANSWERED,
    name: "too_big_answered_total",
    help:
      "Packets from the device that were too long, and whose sender was told so by ICMP.",
    text: "answered with how long they may be",
  },
  {
    index: PlaneCounter.PATH_MTU_LOWERED,
    name: "path_mtu_lowered_total",
    help: "How often the path to a peer was found to take less than before.",
    text: "times less that a path takes",
  },
  {
    index: PlaneCounter.RECEIVE_DROPPED,
    name: "receive_dropped_total",
    help:
      "Received datagrams, or runs of joined ones, that the kernel dropped because the buffer of the socket was full, or for a wrong checksum.",
    text: "that came to a full socket",
    isLoss: true,
  },
  {
    index: PlaneCounter.DEVICE_DROPPED,
    name: "device_dropped_total",
    help:
      "Packets for peers that the kernel dropped because the queue of the device was full.",
    text: "for a full device",
    isLoss: true,
  },
  {
    index: PlaneCounter.LONG_WAITS,
    name: "long_waits_total",
    help:
      "How often a thread waited two seconds or longer for another one that held a connection, and its packets with it.",
    text: "long waits for a connection",
  },
];

export const PLANE_COUNTERS = PLANE_COUNTER_INFOS.length;

export function count(
  counters: Float64Array,
  index: number,
  amount: number = 1,
): void {
  counters[index] = (counters[index] ?? 0) + amount;
}

/** What was counted, by the names of the table. */
export function namedCounts(
  infos: readonly CounterInfo[],
  counters: Float64Array,
): Readonly<Record<string, number>> {
  // Of each of tens of thousands of connections, fromEntries() takes five times
  // as long.
  const named: Record<string, number> = {};
  for (const { index, name } of infos) named[name] = counters[index] ?? 0;
  return named;
}
