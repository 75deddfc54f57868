/**
 * The programs that speak SATP: this one, anytun and uanytun. All take the
 * same options (CLI section 2), so that any two of them make a pair.
 *
 * @module
 */

import { clientsFile } from "../../../lab/clients.ts";
import { startDaemon } from "../../../lab/daemons.ts";
import type { Lab } from "../../../lab/lab.ts";
import { run } from "../../../lab/process.ts";
import {
  asBinary,
  fromSource,
  type OurProgram,
  withoutWorkers,
} from "../../../lab/programs.ts";
import { crowd } from "../crowd.ts";
import {
  firstLine,
  installed,
  type Presence,
  type Subject,
} from "../subject.ts";
import { DEVICE, INNER4, INNER6, type Side, Tunnel } from "../tunnel.ts";

/** What the first line of the version of this program ends with. */
const OURS = "(anytun for Deno)";

/** A program with the command line of anytun(8). */
interface SatpProgram {
  readonly id: string;
  readonly label: string;
  readonly ours?: true;
  readonly command: readonly string[];
  /** Whether it follows a control daemon. */
  readonly scales: boolean;
  presence(): Promise<Presence>;
}

/** This program, with options that it always gets. */
function ours(
  id: string,
  label: string,
  program: OurProgram,
  ...always: readonly string[]
): SatpProgram {
  const presence = async (): Promise<Presence> => {
    if (program.missing !== null) return { missing: program.missing };
    return { version: firstLine(await run([...program.command, "--version"])) };
  };
  const command = [...program.command, ...always];
  return { id, label, ours: true, command, scales: true, presence };
}

function ofTheSystem(program: string, scales: boolean): SatpProgram {
  const presence = async (): Promise<Presence> => {
    const found = await installed([program], "--version");
    // It may have taken the name of the original.
    return "version" in found && found.version.endsWith(OURS)
      ? { missing: `${program} is this program, and not the original` }
      : found;
  };
  return { id: program, label: program, command: [program], scales, presence };
}

const MUX = 16;
const PASSPHRASE = "benchmark";

/** Where the control daemon listens for those that know no unix sockets. */
const CONTROL = "127.0.0.1:2323";

/** The options of one end; they name the defaults that the figures rest on. */
function options(lab: Lab, side: Side): string[] {
  const remote = lab[side === "left" ? "right" : "left"].ipv4;
  return [
    ...common(side),
    ...["--remote-host", remote, "--passphrase", PASSPHRASE],
  ];
}

function common(side: Side): string[] {
  return [
    ...["--nodaemonize", "--log", "stdout:3"],
    ...["--dev", DEVICE[side], "--type", "tun"],
    ...["--kd-prf", "aes-ctr-128", "--cipher", "aes-ctr-128"],
    ...["--auth-algo", "sha1", "--auth-tag-length", "10"],
    ...["--window-size", "1024", "--mux", String(MUX), "--role", side],
  ];
}

function open(left: SatpProgram, right: SatpProgram): Subject["open"] {
  return (lab) =>
    Tunnel.open(lab, {
      argv: {
        left: [...left.command, ...options(lab, "left")],
        right: [...right.command, ...options(lab, "right")],
      },
    });
}

/** Starts it with connections from a control daemon of ours on the left. */
function openScaled({ command, ours }: SatpProgram): Subject["open"] {
  return async (lab, scratch) => {
    const file = scratch.file("clients");
    const networks = [`${INNER4.right}/32`, `${INNER6.right}/128`];
    const peer = { mux: MUX, passphrase: PASSPHRASE, networks };
    // The measured one comes last, so that all is there before it.
    await Deno.writeTextFile(file, await clientsFile([...crowd(), peer]));
    const control = ours ? `unix:${scratch.file("control")}` : CONTROL;
    const controld = ["controld", "-D", "-f", file, "-X", control];
    return Tunnel.open(lab, {
      argv: {
        left: [...command, ...common("left"), "--control-host", control],
        right: [...command, ...options(lab, "right")],
      },
      companions: [startDaemon(lab.left, controld)],
    });
  };
}

function alone(program: SatpProgram): Subject {
  const { command: _, scales, ...subject } = program;
  return {
    ...subject,
    open: open(program, program),
    ...scales && { openScaled: openScaled(program) },
  };
}

/** Measured only when it is asked for by name. */
function extra(program: SatpProgram): Subject {
  return { ...alone(program), extra: true };
}

/** Ours on the left, a real one on the right: both mixed directions. */
function pair(left: SatpProgram, right: SatpProgram): Subject {
  return {
    id: `${left.id}+${right.id}`,
    label: `${left.label} to ${right.label}`,
    pair: { left: left.id, right: right.id },
    async presence() {
      const found = [await left.presence(), await right.presence()];
      const versions: string[] = [];
      for (const presence of found) {
        if ("missing" in presence) return presence;
        versions.push(presence.version);
      }
      return { version: versions.join(" to ") };
    },
    open: open(left, right),
  };
}

/** The subjects that speak SATP, this program first. */
export function satpSubjects(): Subject[] {
  const source = ours("source", "this, source", fromSource);
  const compiled = ours("binary", "this, binary", asBinary);
  // As the program runs where it may not read files, or finds no libcrypto.
  const portable = ours("portable", "this, portable plane", withoutWorkers);
  // As it runs without libIPSec_MB.
  const openssl = ours(
    ...["openssl", "this, libcrypto alone", fromSource] as const,
    ...["--engine", "openssl"],
  );
  const webcrypto = ours(
    ...["webcrypto", "this, WebCrypto", withoutWorkers] as const,
    ...["--engine", "webcrypto"],
  );
  const anytun = ofTheSystem("anytun", true);
  const uanytun = ofTheSystem("uanytun", false);
  return [
    ...[source, compiled, anytun, uanytun].map(alone),
    ...[openssl, portable, webcrypto].map(extra),
    pair(source, anytun),
  ];
}
