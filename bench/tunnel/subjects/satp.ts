/**
 * The programs that speak SATP: this one, anytun and uanytun. All take the
 * same options (CLI section 2), so that any two of them make a pair.
 *
 * @module
 */

import { OUTER, type Side } from "../lab.ts";
import { run } from "../process.ts";
import {
  firstLine,
  installed,
  type Presence,
  type Subject,
} from "../subject.ts";
import { DEVICE, Tunnel } from "../tunnel.ts";

/** A program with the command line of anytun(8). */
interface SatpProgram {
  readonly id: string;
  readonly label: string;
  readonly ours?: true;
  readonly command: readonly string[];
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
  return { id, label, ours: true, command, presence };
}

function ofTheSystem(program: string): SatpProgram {
  const presence = () => installed([program], "--version");
  return { id: program, label: program, command: [program], presence };
}

/** The options of one end; they name the defaults that the figures rest on. */
function options(side: Side): string[] {
  const remote = OUTER[side === "left" ? "right" : "left"];
  return [
    ...["--nodaemonize", "--log", "stdout:3"],
    ...["--remote-host", remote, "--dev", DEVICE[side], "--type", "tun"],
    ...["--kd-prf", "aes-ctr-128", "--cipher", "aes-ctr-128"],
    ...["--auth-algo", "sha1", "--auth-tag-length", "10"],
    ...["--window-size", "1024", "--mux", "16"],
    ...["--passphrase", "benchmark", "--role", side],
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

function alone(program: SatpProgram): Subject {
  const { command: _, ...subject } = program;
  return { ...subject, open: open(program, program) };
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
  const webcrypto = ours("webcrypto", "this, WebCrypto", "src/cli/main.ts", [
    ...[...portable.command, "--engine", "webcrypto"],
  ]);
  const anytun = ofTheSystem("anytun");
  const uanytun = ofTheSystem("uanytun");
  return [
    ...[source, compiled, anytun, uanytun].map(alone),
    ...[portable, webcrypto].map(extra),
    pair(source, anytun),
  ];
}
