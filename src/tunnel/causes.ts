// Causes of nothing coming through: one row for each that a line of the log names.
// docs/troubleshooting.md has an entry for each of them (documents_test.ts).

/** In lines of JSON, as the field `cause`. */
export const Cause = {
  UNKNOWN_MUX: "unknown-mux",
  WRONG_TAG: "wrong-tag",
  WRONG_PAYLOAD_TYPE: "wrong-payload-type",
  REPLAY: "replay",
  WRONG_SOURCE: "wrong-source",
  NOWHERE_TO_SEND: "nowhere-to-send",
  NO_SOCKET: "no-socket",
  NO_ROUTE: "no-route",
  LOOP: "loop",
  REFUSED: "refused",
  NOT_PERMITTED: "not-permitted",
  TOO_LONG: "too-long",
  SEND_FAILED: "send-failed",
  DEVICE_REFUSED: "device-refused",
  DEVICE_DOWN: "device-down",
  NO_ADDRESS: "no-address",
  NOT_RESOLVED: "not-resolved",
  PEER_SILENT: "peer-silent",
} as const;

export type Cause = typeof Cause[keyof typeof Cause];

/** Words that every line of the cause has, to search for. */
export const CAUSE_WORDS: Readonly<Record<Cause, string>> = {
  [Cause.UNKNOWN_MUX]: "unknown mux",
  [Cause.WRONG_TAG]: "wrong Authentication Tag!",
  [Cause.WRONG_PAYLOAD_TYPE]: "payload type",
  [Cause.REPLAY]: "Replay attack from",
  [Cause.WRONG_SOURCE]: "not routed to it",
  [Cause.NOWHERE_TO_SEND]: "nowhere to send",
  [Cause.NO_SOCKET]: "no suitable socket found",
  [Cause.NO_ROUTE]: "this host has no route",
  [Cause.LOOP]: "leads through the tunnel itself",
  [Cause.REFUSED]: "nobody listens there",
  [Cause.NOT_PERMITTED]: "a firewall of this host",
  [Cause.TOO_LONG]: "longer than the path takes",
  [Cause.SEND_FAILED]: "cannot send to",
  [Cause.DEVICE_REFUSED]: "the device takes no packets",
  [Cause.DEVICE_DOWN]: "is down",
  [Cause.NO_ADDRESS]: "has no address",
  [Cause.NOT_RESOLVED]: "Error while resolving",
  [Cause.PEER_SILENT]: "heard nothing",
};

/** By the error codes of sendmsg(2), ip(7) and udp(7). */
const SEND_CAUSES: Readonly<Record<string, Cause>> = {
  ENETUNREACH: Cause.NO_ROUTE,
  EHOSTUNREACH: Cause.NO_ROUTE,
  ENETDOWN: Cause.NO_ROUTE,
  EHOSTDOWN: Cause.NO_ROUTE,
  EADDRNOTAVAIL: Cause.NO_ROUTE,
  ECONNREFUSED: Cause.REFUSED,
  EPERM: Cause.NOT_PERMITTED,
  EACCES: Cause.NOT_PERMITTED,
  EMSGSIZE: Cause.TOO_LONG,
};

export function sendCause(code: string): Cause {
  return SEND_CAUSES[code] ?? Cause.SEND_FAILED;
}

/** What helps where a datagram was not sent, to follow "cannot send to …: ". */
export const SEND_REMEDIES: Readonly<Partial<Record<Cause, string>>> = {
  [Cause.NO_ROUTE]:
    "this host has no route to it, or its router does not answer: look at " +
    "'ip route get', and at the address of the peer (--remote-host)",
  [Cause.REFUSED]:
    "nobody listens there: is the peer running, and is its port right " +
    "(--remote-port here, --port there)?",
  [Cause.NOT_PERMITTED]:
    "a firewall of this host forbids it, or the address is a broadcast " +
    "address (--remote-host)",
  [Cause.TOO_LONG]:
    "the datagram is longer than the path takes: lower the MTU of the device " +
    "(--mtu)",
};
