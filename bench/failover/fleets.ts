/**
 * Three servers of one program, and how operators have them come and go.
 *
 * @module
 */
import type { BgpLab } from "../../lab/bgp_lab.ts";
import { ANYCAST, ANYCAST_DEVICE } from "../../lab/bgp_network.ts";
import { anytun, oursNative, type PeerProgram } from "../../lab/peers.ts";

export interface Fleet {
  readonly id: string;
  readonly program: PeerProgram;
  /** The replay window of the client; undefined for the usual one. */
  readonly window?: number;
  /** Once for each server, before its first start. */
  prepare(lab: BgpLab, number: number): Promise<void>;
  /** Starts a server, which then announces itself in its own time. */
  start(lab: BgpLab, number: number): Promise<void>;
}

/** Daemons that announce themselves while they are fit. */
const ours: Fleet = {
  id: "ours",
  program: oursNative,
  prepare: () => Promise.resolve(),
  async start(lab, number) {
    await lab.startMember(number);
  },
};

/**
 * What stands beside a daemon that announces nothing: once a second it looks
 * whether the process and its device are there.
 */
const HEALTH_SCRIPT = `
while :; do
  if kill -0 "$(cat "$1")" && ip link show at0; then
    ip addr replace ${ANYCAST}/32 dev ${ANYCAST_DEVICE}
  else
    ip addr del ${ANYCAST}/32 dev ${ANYCAST_DEVICE}
  fi >/dev/null 2>&1
  sleep 1
done
`;

/**
 * Original daemons, with a script. They begin at number 0 with each start: with
 * a window their client would not hear them for long.
 */
const originals: Fleet = {
  id: "anytun",
  program: anytun,
  window: 0,
  async prepare(lab, number) {
    await lab.network.prepare(number);
    const file = pidFile(lab, number);
    lab.network.server(number).spawn("sh", "-c", HEALTH_SCRIPT, "health", file);
  },
  async start(lab, number) {
    const { pid } = await lab.startServer(number, anytun);
    await Deno.writeTextFile(pidFile(lab, number), String(pid));
  },
};

function pidFile(lab: BgpLab, number: number): string {
  return lab.network.file(`server${number}.pid`);
}

export const FLEETS: readonly Fleet[] = [ours, originals];
