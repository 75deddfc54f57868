/**
 * The programs that speak SATP: this one, anytun and uanytun.
 *
 * @module
 */

import { whyNoIpsecMb, whyNoLibcrypto } from "../../../lab/engines.ts";
import { missingCommand } from "../../../lab/missing.ts";
import { run } from "../../../lab/process.ts";
import {
  asBinary,
  asUsersStart,
  fromSource,
  type OurProgram,
  withoutWorkers,
} from "../../../lab/programs.ts";
import { versionIn } from "../peers.ts";
import {
  firstLine,
  type Presence,
  type Subject,
  type Variant,
} from "../subject.ts";
import { openVariant, openWith, type SatpCommand } from "./satp_open.ts";

/** What the first line of the version of this program ends with. */
const OURS = "(anytun for Deno)";

/** A program with the command line of anytun(8). */
interface SatpProgram extends SatpCommand {
  readonly id: string;
  readonly label: string;
  readonly settings?: string;
  presence(): Promise<Presence>;
}

/** This program on an engine. */
function ours(
  id: string,
  label: string,
  program: OurProgram,
  engine: string,
  whyNoEngine: () => string | null = () => null,
): SatpProgram {
  const { command, missing } = asUsersStart(program);
  return {
    id,
    label,
    ours: true,
    command: [...command, "--engine", engine],
    async presence() {
      const reason = missing ?? whyNoEngine();
      if (reason !== null) return { missing: reason };
      return { version: versionIn(await run([...command, "--version"])) };
    },
  };
}

function ofTheSystem(program: string): SatpProgram {
  return {
    id: program,
    label: program,
    command: [program],
    async presence() {
      const missing = missingCommand(program);
      if (missing !== null) return { missing };
      const text = await run([program, "--version"]);
      // It may have taken the name of the original.
      return firstLine(text).endsWith(OURS)
        ? { missing: `${program} is this program, and not the original` }
        : { version: versionIn(text) };
    },
  };
}

/** @param variants tells which other ways to start it are measured */
function alone(
  program: SatpProgram,
  variants: (variant: Variant) => boolean = () => false,
): Subject {
  const { command: _, ...subject } = program;
  return {
    ...subject,
    open: openWith(program, program),
    variant: (variant) =>
      variants(variant) ? openVariant(program, variant) : undefined,
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
    open: openWith(left, right),
  };
}

/**
 * The subjects that speak SATP, this program first: as it runs for whoever has
 * no more than libcrypto, and beside it with libIPSec_MB.
 */
export function satpSubjects(): Subject[] {
  const source = ours(
    ...["source", "this, source", fromSource, "openssl"] as const,
    whyNoLibcrypto,
  );
  const compiled = ours(
    ...["binary", "this, binary", asBinary, "openssl"] as const,
    whyNoLibcrypto,
  );
  const ipsecMb = ours(
    ...["ipsec-mb", "this, libIPSec_MB", fromSource, "ipsec-mb"] as const,
    whyNoIpsecMb,
  );
  // As the program runs where it may not read files, or finds no libcrypto.
  const portable = ours(
    ...["portable", "this, portable plane", withoutWorkers, "auto"] as const,
  );
  const webcrypto = ours(
    ...["webcrypto", "this, WebCrypto", withoutWorkers, "webcrypto"] as const,
  );
  const anytun = ofTheSystem("anytun");
  const uanytun = ofTheSystem("uanytun");
  const anytunHas = ["crowd", "together", "apart"];
  return [
    alone(source, () => true),
    ...[compiled, ipsecMb].map((program) => alone(program)),
    alone(anytun, (variant) => anytunHas.includes(variant)),
    alone(uanytun),
    ...[portable, webcrypto].map(extra),
    pair(source, anytun),
  ];
}
