/**
 * What is written down during a soak, and what it says in the end.
 *
 * @module
 */

import type { Environment } from "../tunnel/environment.ts";

/** A daemon at one time. */
export interface Daemon {
  /** Bytes of resident memory. */
  readonly resident: number;
  readonly descriptors: number;
}

/** Echo requests through a tunnel, in the time up to a sample. */
export interface Echoes {
  readonly sent: number;
  readonly lost: number;
  /** Round trips in ms; null where no answer came. */
  readonly median: number | null;
  readonly worst: number | null;
}

/** All daemons and tunnels at one time. */
export interface Sample {
  /** Since the start. */
  readonly seconds: number;
  readonly daemons: Readonly<Record<string, Daemon>>;
  readonly echoes: Readonly<Record<string, Echoes>>;
}

/** What was done, or has happened. */
export interface Happening {
  readonly seconds: number;
  readonly what: string;
}

/** A soak. */
export interface SoakRecord {
  readonly environment: Environment;
  readonly samples: readonly Sample[];
  readonly happenings: readonly Happening[];
  readonly verdict: Verdict;
}

/** Faults, or the lack of them, and what else is to be said. */
interface Verdict {
  /** What it comes to. */
  readonly text: string;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

/** Until then daemons compile, and give back what they needed to start. */
const SETTLED_SECONDS = 600;

/** Of resident memory. */
const MAX_GROWTH = 0.05;

/**
 * Looks at what came after {@linkcode SETTLED_SECONDS}.
 *
 * @param failures What ended the soak before its time
 */
export function verdictOf(
  samples: readonly Sample[],
  failures: readonly string[] = [],
): Verdict {
  const [first, last] = fifthsOf(samples);
  if (first.length === 0) {
    const minutes = SETTLED_SECONDS / 60;
    const text = `no verdict: there is one after ${minutes} minutes and more`;
    return { text, faults: failures, notes: [] };
  }
  const faults = [...failures];
  const notes: string[] = [];
  for (const name of Object.keys(first[0]?.daemons ?? {})) {
    const of = (part: readonly Sample[], key: keyof Daemon) =>
      medianOf(part, name, key);
    const growth = of(last, "resident") / of(first, "resident") - 1;
    const text = `${name}: resident memory ${percent(growth)}`;
    (growth <= MAX_GROWTH ? notes : faults).push(text);
    const more = of(last, "descriptors") - of(first, "descriptors");
    if (more > 0) faults.push(`${name}: ${more} descriptors more`);
  }
  const minutes = SETTLED_SECONDS / 60;
  const text = faults.length === 0
    ? `flat: nothing grows after ${minutes} minutes`
    : `faults: ${faults.length}`;
  return { text, faults, notes };
}

/** The first and the last fifth of what counts. */
export function fifthsOf(
  samples: readonly Sample[],
): readonly [readonly Sample[], readonly Sample[]] {
  const settled = samples.filter(({ seconds }) => seconds >= SETTLED_SECONDS);
  const size = Math.floor(settled.length / 5);
  return size === 0 ? [[], []] : [settled.slice(0, size), settled.slice(-size)];
}

export function medianOf(
  samples: readonly Sample[],
  daemon: string,
  key: keyof Daemon,
): number {
  return median(samples.map(({ daemons }) => daemons[daemon]?.[key] ?? NaN));
}

/** The middle one; NaN of nothing. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

export function percent(ratio: number): string {
  return `${ratio < 0 ? "" : "+"}${(100 * ratio).toFixed(1)} %`;
}
