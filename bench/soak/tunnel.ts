/**
 * A tunnel under soak: what is watched, and what is done to it.
 *
 * @module
 */

import { ProcView } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { copy } from "../../lab/measure.ts";
import type { LabProcess } from "../../lab/process.ts";
import { parseRoundTrips } from "../../lab/round_trips.ts";
import { type Daemon, type Echoes, median } from "./record.ts";

/** Something that is done from time to time, and takes no packet. */
export interface Event {
  readonly what: string;
  act(): Promise<void>;
}

/** A tunnel, or many of a cluster. */
export interface SoakTunnel {
  readonly daemons: Readonly<Record<string, LabProcess>>;
  /** Where echo requests come from, and where they go. */
  readonly echo: { readonly from: LabHost; readonly to: string };
  /** Kinds of traffic, one of which is under way at any time. */
  readonly traffic: readonly Event[];
  readonly events: readonly Event[];
  /** The epoch that both ends have come to: keys change by themselves. */
  epoch(): number;
}

const INTERVAL_MS = 200;

/** How long an answer may take, in ms. */
const LATE_MS = 1000;

/** What a daemon has at present. */
export function daemonNow(process: LabProcess): Daemon {
  if (process.hasEnded) {
    throw new Error(`${process.title} has ended: ${process.lastWords}`);
  }
  const view = new ProcView(process.pid);
  const [kibibytes] = view.status("VmRSS");
  return {
    resident: Number(kibibytes) * 1024,
    descriptors: view.names("fd").length,
  };
}

/** Sends echo requests for so many seconds. */
export async function echoesOf(
  { echo: { from, to } }: SoakTunnel,
  seconds: number,
): Promise<Echoes> {
  const sent = Math.round(seconds * 1000 / INTERVAL_MS);
  const ping = ["ping", "-n", `-W${LATE_MS / 1000}`, `-c${sent}`];
  const argv = [...ping, `-i${INTERVAL_MS / 1000}`, to];
  // ping fails when nothing is answered: that is a figure, too.
  const text = await from.run(argv, { seconds: 2 * seconds + 10 })
    .catch(() => "");
  const times = parseRoundTrips(text);
  const lost = Math.max(0, sent - times.length);
  if (times.length === 0) return { sent, lost, median: null, worst: null };
  return { sent, lost, median: median(times), worst: Math.max(...times) };
}

/** A copy that has to arrive as it was sent. */
export function checkedCopy(
  what: string,
  { from, to }: SoakTunnel["echo"],
  bytes: number,
  seconds: number,
): Event {
  return {
    what,
    async act() {
      const { intact } = await copy(from, to, bytes, seconds);
      if (!intact) throw new Error("what was copied is not what arrived");
    },
  };
}

/** Has a daemon begin its log anew, as logrotate(8) does. */
export async function rotate(
  process: LabProcess,
  file: string,
): Promise<void> {
  await Deno.rename(file, `${file}.1`);
  Deno.kill(process.pid, "SIGHUP");
}
