/**
 * The programs that speak SATP: this one, anytun and uanytun. All take the
 * same options (CLI section 2), so that any two of them make a pair.
 *
 * @module
 */

import { OUTER, type Side } from "../lab.ts";
import { clientsFile } from "../clients.ts";
import { Daemon, run } from "../process.ts";
import {
  firstLine,
  installed,
  type Presence,
  type Subject,
} from "../subject.ts";
import { DEVICE, INNER4, INNER6, Tunnel } from "../tunnel.ts";

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

/** The path of a file of this project. */
function projectFile(path: string): string {
  const url = new URL(`../../../${path}`, import.meta.url);
  return decodeURIComponent(url.pathname);
}

/** This program, started by `command`; `file` is what must be there. */
function ours(
  id: string,
  label: string,
  file: string,
  command: readonly string[],
): SatpProgram {
  const presence = async (): Promise<Presence> => {
    const info = await Deno.stat(projectFile(file)).catch(() => undefined);
    if (info === undefined) return { missing: `${file} does not exist` };
    return { version: firstLine(await run([...command, "--version"])) };
  };
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
function options(side: Side): string[] {
  const remote = OUTER[side === "left" ? "right" : "left"];
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
        left: [...left.command, ...options("left")],
        right: [...right.command, ...options("right")],
      },
    });
}

/** Starts it with connections from a control daemon of ours on the left. */
function openScaled({ command, ours }: SatpProgram): Subject["open"] {
  return async (lab) => {
    const file = `${lab.scratch}/clients`;
    const networks = [`${INNER4.right}/32`, `${INNER6.right}/128`];
    const peer = { mux: MUX, passphrase: PASSPHRASE, networks };
    await Deno.writeTextFile(file, await clientsFile(peer));
    const control = ours ? `unix:${lab.scratch}/control` : CONTROL;
    const controld = [
      ...[Deno.execPath(), "run", "-A", projectFile("src/cli/main.ts")],
      ...["controld", "-D", "-f", file, "-X", control],
    ];
    return Tunnel.open(lab, {
      argv: {
        left: [...command, ...common("left"), "--control-host", control],
        right: [...command, ...options("right")],
      },
      companions: [new Daemon(lab.within("left", controld))],
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
  const main = projectFile("src/cli/main.ts");
  const binary = projectFile("dist/anytun");
  const source = ours("source", "this, source", "src/cli/main.ts", [
    ...[Deno.execPath(), "run", "-A", main],
  ]);
  const compiled = ours("binary", "this, binary", "dist/anytun", [binary]);
  // As the program runs where it may not read files, or finds no libcrypto.
  const portable = ours("portable", "this, portable plane", "src/cli/main.ts", [
    ...[Deno.execPath(), "run", "--allow-net", "--allow-ffi", main],
  ]);
  // As it runs without libIPSec_MB.
  const openssl = ours("openssl", "this, libcrypto alone", "src/cli/main.ts", [
    ...[...source.command, "--engine", "openssl"],
  ]);
  const webcrypto = ours("webcrypto", "this, WebCrypto", "src/cli/main.ts", [
    ...[...portable.command, "--engine", "webcrypto"],
  ]);
  const anytun = ofTheSystem("anytun", true);
  const uanytun = ofTheSystem("uanytun", false);
  return [
    ...[source, compiled, anytun, uanytun].map(alone),
    ...[openssl, portable, webcrypto].map(extra),
    pair(source, anytun),
  ];
}
