/**
 * What is measured about a subject.
 *
 * @module
 */

import type { Lab } from "../../lab/lab.ts";
import type { Better } from "./statistics.ts";
import type { Variant } from "./subject.ts";
import type { Tunnel } from "./tunnel.ts";

/** A figure of the table. */
export interface Metric {
  /** The name in the JSON file. */
  readonly id: string;
  /** The name in the table. */
  readonly label: string;
  readonly unit: string;
  readonly better: Better;
}

/**
 * Figures by name. Those that no {@link Metric} names are details for the JSON
 * file only.
 */
export type Readings = Readonly<Record<string, number>>;

/** What a scenario works with. */
export interface Bench {
  readonly lab: Lab;
  /** The tunnel of the subject, carrying nothing else. */
  readonly tunnel: Tunnel;
  /** How long a transfer takes. */
  readonly seconds: number;
}

/** A scenario that runs on every subject. */
export interface Scenario {
  /** The name on the command line. */
  readonly name: string;
  readonly metrics: readonly Metric[];
  /** Whether it also runs on mixed pairs. */
  readonly pairs?: true;
  /** The way of starting the tunnel that it runs on; the usual one without. */
  readonly on?: Variant;
  run(bench: Bench): Promise<Readings>;
}
