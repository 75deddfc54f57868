/**
 * Who is put to the test: this program, anytun, uanytun and wireguard-go.
 *
 * @module
 */

import type { Protocol } from "../../lab/flood.ts";
import { asUsersStart, fromSource } from "../../lab/programs.ts";
import type { PeerPrograms } from "../tunnel/peers.ts";
import type { Open, Presence, Subject } from "../tunnel/subject.ts";
import { allSubjects } from "../tunnel/subjects/mod.ts";
import { openWireguard } from "../tunnel/subjects/wireguard.ts";
import { openWith } from "../tunnel/subjects/satp_open.ts";

/** A program, started in one way. */
export interface Contender {
  /** The name on the command line and in the JSON file. */
  readonly id: string;
  /** The name in the tables. */
  readonly label: string;
  readonly protocol: Protocol;
  /** The UDP port of both ends. */
  readonly port: number;
  /** Packets of the replay window, where the program lets one choose. */
  readonly window?: number;
  readonly ours: boolean;
  presence(): Promise<Presence>;
  /**
   * Starts the tunnel.
   *
   * @param options More options of the program
   * @param through A command that runs the program
   */
  open(options?: readonly string[], through?: readonly string[]): Open;
}

const WINDOW = 1024;

/** Everybody, this program first. */
export function allContenders(peers: PeerPrograms): Contender[] {
  const subjects = allSubjects(peers);
  const subject = (id: string): Subject => {
    const found = subjects.find((subject) => subject.id === id);
    if (found === undefined) throw new Error(`Cannot find subject ${id}`);
    return found;
  };
  const { command } = asUsersStart(fromSource);
  const ours = [...command, "--engine", "openssl"];
  const satp = [
    { id: "source", label: "this", command: ours },
    { id: "anytun", label: "anytun", command: ["anytun"] },
    { id: "uanytun", label: "uanytun", command: ["uanytun"] },
  ];
  const wireguard = subject("wireguard-go");
  return [
    ...satp.flatMap(({ id, label, command }) =>
      [0, WINDOW].map((window): Contender => ({
        id: window === 0 ? id : `${id}-w${window}`,
        label: window === 0 ? label : `${label} -w ${window}`,
        ...{ protocol: "satp", port: 4444, window, ours: id === "source" },
        presence: () => subject(id).presence(),
        open(options = [], through = []) {
          const whole = { command: [...through, ...command], window, options };
          return openWith(whole, whole);
        },
      }))
    ),
    {
      ...{ id: wireguard.id, label: wireguard.label, protocol: "wireguard" },
      ...{ port: 51820, ours: false },
      presence: () => wireguard.presence(),
      open: (_options, through) => openWireguard(peers, through),
    },
  ];
}
