/**
 * A running tunnel between the two sides of the lab.
 *
 * @module
 */

import type { Sides } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/process.ts";
import { cpuSeconds, residentBytes } from "./sampling.ts";
import { delay } from "../../src/net/delay.ts";

/** An end of the tunnel, and the host of the lab that it is on. */
export type Side = "left" | "right";

/** Both ends, for loops. */
export const SIDES: readonly Side[] = ["left", "right"];

/** The end that a side is joined to. */
export function otherSide(side: Side): Side {
  return side === "left" ? "right" : "left";
}

/**
 * The tunnel device of a side. Two names, because wireguard-go names its
 * control socket after the device and all namespaces share one directory.
 */
export const DEVICE: Readonly<Record<Side, string>> = {
  left: "at-b-tun-l",
  right: "at-b-tun-r",
};

/** IPv4 addresses inside the tunnel, from TEST-NET-2 (RFC 5737). */
export const INNER4: Readonly<Record<Side, string>> = {
  left: "198.51.100.1",
  right: "198.51.100.2",
};

/** IPv6 addresses inside the tunnel (RFC 3849). */
export const INNER6: Readonly<Record<Side, string>> = {
  left: "2001:db8:1::1",
  right: "2001:db8:1::2",
};

/** Lengths of the prefixes of both. */
export const INNER4_BITS = 30;
export const INNER6_BITS = 64;

/** The MTU of every tunnel device, in bytes. */
export const INNER_MTU = 1400;

/** Milliseconds until a tunnel that carries nothing is given up. */
const START_LIMIT_MS = 15_000;

/** How a subject's two daemons are started. */
export interface Ends {
  /** The command line of each daemon. */
  readonly argv: Readonly<Record<Side, readonly string[]>>;
  /** What is left to do once the device of a side is there. */
  configure?(side: Side): Promise<void>;
  /** What else is to be running, from before the start to the end. */
  readonly companions?: readonly LabProcess[];
}

/** A value for each side. */
export type PerSide<T> = Readonly<Record<Side, T>>;

/** Waits until `condition` holds; fails when a daemon ends or time is up. */
async function until(
  condition: () => Promise<boolean>,
  daemon: LabProcess,
): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (!await condition()) {
    if (daemon.hasEnded) {
      throw new Error(`The daemon has ended: ${daemon.lastWords}`);
    }
    if (performance.now() > deadline) {
      throw new Error(`The daemon does not get ready: ${daemon.lastWords}`);
    }
    await delay(2);
  }
}

function spawn(lab: Sides, { argv }: Ends, side: Side): LabProcess {
  const [program = "", ...args] = argv[side];
  return lab[side].spawn(program, ...args);
}

/** Two daemons, one on each side, with a tunnel between them. */
export class Tunnel implements AsyncDisposable {
  readonly #lab: Sides;
  readonly #daemons: Record<Side, LabProcess>;
  readonly #ends: Ends;
  #startSeconds = 0;
  #plane: string | undefined;

  private constructor(
    lab: Sides,
    daemons: Record<Side, LabProcess>,
    ends: Ends,
  ) {
    this.#lab = lab;
    this.#daemons = daemons;
    this.#ends = ends;
  }

  /**
   * Starts both daemons and returns when the first packet has passed.
   *
   * @throws {Error} with the last words of a daemon that does not get ready
   */
  static async open(lab: Sides, ends: Ends): Promise<Tunnel> {
    const started = performance.now();
    const daemons = {
      left: spawn(lab, ends, "left"),
      right: spawn(lab, ends, "right"),
    };
    const tunnel = new Tunnel(lab, daemons, ends);
    try {
      await Promise.all(SIDES.map((side) => tunnel.#bringUp(side)));
      await tunnel.#firstPacket("left");
    } catch (error) {
      await tunnel[Symbol.asyncDispose]();
      throw error;
    }
    tunnel.#startSeconds = (performance.now() - started) / 1000;
    tunnel.#plane = planeIn(tunnel.#daemons.left.lines);
    return tunnel;
  }

  /** Seconds from starting both daemons until the first packet had passed. */
  get startSeconds(): number {
    return this.#startSeconds;
  }

  /**
   * What the left daemon said of its data plane and engine when it started;
   * undefined for programs that say nothing of these.
   */
  get plane(): string | undefined {
    return this.#plane;
  }

  /** Which daemon has ended, with its last words; undefined if none has. */
  get obituary(): string | undefined {
    const side = SIDES.find((side) => this.#daemons[side].hasEnded);
    if (side === undefined) return undefined;
    return `the ${side} daemon has ended: ${this.#daemons[side].lastWords}`;
  }

  /** The daemon of a side. */
  daemon(side: Side): LabProcess {
    return this.#daemons[side];
  }

  /**
   * Kills the daemon of a side and starts it again.
   *
   * @returns Seconds from the kill until a packet from there is answered
   * @throws {Error} with last words if nothing passes
   */
  async restart(side: Side): Promise<number> {
    const started = performance.now();
    await this.#daemons[side].stop("SIGKILL");
    this.#daemons[side] = spawn(this.#lab, this.#ends, side);
    await this.#bringUp(side);
    await this.#firstPacket(side);
    return (performance.now() - started) / 1000;
  }

  /** CPU seconds, user and system, that each daemon has used. */
  async cpuSeconds(): Promise<PerSide<number>> {
    const { left, right } = this.#daemons;
    return {
      left: await cpuSeconds(left.pid),
      right: await cpuSeconds(right.pid),
    };
  }

  /** Bytes that each daemon has resident. */
  async residentBytes(): Promise<PerSide<number>> {
    const { left, right } = this.#daemons;
    return {
      left: await residentBytes(left.pid),
      right: await residentBytes(right.pid),
    };
  }

  /** Ends both daemons. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { left, right } = this.#daemons;
    await Promise.all(
      [left, right, ...this.#ends.companions ?? []]
        .map((daemon) => daemon.stop()),
    );
  }

  async #bringUp(side: Side): Promise<void> {
    const daemon = this.#daemons[side];
    const device = DEVICE[side];
    await until(async () => {
      const devices = await Deno.readTextFile(`/proc/${daemon.pid}/net/dev`)
        .catch(() => ""); // no such process: it has just ended
      return devices.includes(`${device}:`);
    }, daemon);
    await this.#ends.configure?.(side);
    // Some programs give their device its addresses themselves.
    const commands = [
      `addr replace ${INNER4[side]}/${INNER4_BITS} dev ${device}`,
      `addr replace ${INNER6[side]}/${INNER6_BITS} dev ${device} nodad`,
      `link set ${device} mtu ${INNER_MTU} up`,
    ];
    // One process for all: this is part of the time that a start takes.
    const input = `${commands.join("\n")}\n`;
    await this.#lab[side].run(["ip", "-batch", "-"], { input });
  }

  /** Sends echo requests, 5 ms apart, until one of them is answered. */
  async #firstPacket(from: Side): Promise<void> {
    const seconds = START_LIMIT_MS / 1000;
    const probe = ["ping", "-n", "-c1", "-i0.005", `-w${seconds}`];
    try {
      await this.#lab[from].run([...probe, INNER4[otherSide(from)]], {
        seconds: seconds + 2,
      });
    } catch (cause) {
      const words = SIDES.map((side) => this.#daemons[side].lastWords);
      const reason = this.obituary ?? words.join(" | ");
      throw new Error(`Nothing passes the tunnel: ${reason}`, { cause });
    }
  }
}

/** The line of the log about it (CLI section 6), without what stands before. */
function planeIn(log: readonly string[]): string | undefined {
  const told = /: ((?:native|portable) data plane, engine .*)$/m;
  return told.exec(log.join("\n"))?.[1];
}
