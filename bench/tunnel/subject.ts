/**
 * What is measured.
 *
 * @module
 */

import type { TestFolder } from "../../lab/daemons.ts";
import type { Sides } from "../../lab/lab.ts";
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
  /** Settings that have a say in the figures, for the notes. */
  readonly settings?: string;
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
  open: Open;
  /** Starts it in another way; undefined if it has no such way. */
  variant?(variant: Variant): Open | undefined;
}

/** Starts a tunnel. */
export type Open = (lab: Sides, scratch: TestFolder) => Promise<Tunnel>;

/**
 * Other ways to start a tunnel:
 *
 * - `crowd`: the left side has many other connections, which carry nothing;
 * - `bare`: without encryption and authentication;
 * - `together` and `apart`: both daemons on one processor, or on one each;
 * - `fan-<n>`: a server on the left with n workers and as many processors, and
 *   several clients on the right.
 */
export type Variant = "crowd" | "bare" | "together" | "apart" | `fan-${number}`;

/** The first line of a text. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
