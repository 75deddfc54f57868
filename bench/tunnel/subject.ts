/**
 * What is measured.
 *
 * @module
 */

import type { TestFolder } from "../../lab/daemons.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand } from "../../lab/missing.ts";
import { run } from "../../lab/process.ts";
import type { Tunnel } from "./tunnel.ts";

/** Whether a program is there, and which version, or why it is not. */
export type Presence =
  | { readonly version: string }
  | { readonly missing: string };

/** Which program is at which end, where the two differ. */
export interface Pair {
  /** The id of the subject that has this program at both ends. */
  readonly left: string;
  /** The same for the other end. */
  readonly right: string;
}

/** A program, or a pair of programs, that makes a tunnel. */
export interface Subject {
  /** The name on the command line and in the JSON file. */
  readonly id: string;
  /** The name in the table and in the chart. */
  readonly label: string;
  /** Set for this program, in whatever form. */
  readonly ours?: true;
  /** Set where it is measured only if it is named with `--only`. */
  readonly extra?: true;
  /** Set for a mixed pair; it runs only scenarios that are meant for pairs. */
  readonly pair?: Pair;
  /** Looks whether it can be measured on this machine. */
  presence(): Promise<Presence>;
  /**
   * Starts the tunnel in the lab.
   *
   * @param scratch A folder for key files
   */
  open(lab: Lab, scratch: TestFolder): Promise<Tunnel>;
  /**
   * Starts it with many other connections on the left side; undefined for
   * programs that have one connection.
   */
  openScaled?(lab: Lab, scratch: TestFolder): Promise<Tunnel>;
}

/** Looks for installed programs; the first one is asked for its version. */
export async function installed(
  programs: readonly string[],
  versionOption: string,
): Promise<Presence> {
  for (const program of programs) {
    const missing = missingCommand(program);
    if (missing !== null) return { missing };
  }
  const [program = ""] = programs;
  const text = await run([program, versionOption]);
  return { version: firstLine(text) };
}

/** The first line of a text. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
