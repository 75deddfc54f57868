/**
 * What everybody has to stand.
 *
 * @module
 */

import type { TestFolder } from "../../lab/daemons.ts";
import type { HostileLab } from "../../lab/hostile_lab.ts";
import type { Tunnel } from "../tunnel/tunnel.ts";
import type { Contender } from "./contender.ts";
import type { Traffic } from "./traffic.ts";

/** A number of a cell. */
export interface Figure {
  /** The name in the JSON file. */
  readonly id: string;
  /** What it is, with its unit, in the head of the table. */
  readonly label: string;
}

/** What came of a case. */
export interface Outcome {
  readonly survived: boolean;
  readonly figures: Readonly<Record<string, number>>;
  /** What figures do not say, in a few words. */
  readonly note?: string;
}

/** What a case works with. */
export interface Bench {
  readonly lab: HostileLab;
  readonly contender: Contender;
  /** A folder for files of the case. */
  readonly scratch: TestFolder;
  readonly traffic: Traffic;
  /** How long a program is stopped, or a link is down. */
  readonly pauseSeconds: number;
  /**
   * Opens the tunnel; it is ended when the case is over.
   *
   * @param options More options of the program
   * @param through A command that runs the program
   */
  open(
    options?: readonly string[],
    through?: readonly string[],
  ): Promise<Tunnel>;
}

/** One thing to stand. */
export interface Case {
  readonly name: string;
  /** Says who is not asked; everybody is, unless told. */
  readonly without?: (contender: Contender) => boolean;
  run(bench: Bench): Promise<Outcome>;
}

/** Things to stand, in one table. */
export interface Scenario {
  /** The name on the command line. */
  readonly name: string;
  readonly title: string;
  /** What happens, and what the figures are, in a sentence or two. */
  readonly text: string;
  readonly figures: readonly Figure[];
  /** Whether those with a replay window are asked, too. */
  readonly windows?: true;
  readonly cases: readonly Case[];
}
