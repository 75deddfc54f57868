// Values with their origin, merged from all sources.
import type { Action, Flag, Option, OptionTable, Repeated } from "./option.ts";
import { namesOf } from "./option.ts";

export type Origin =
  | { readonly kind: "argument" }
  | {
    readonly kind: "file";
    readonly path: string;
    /** The first one is 1; undefined where the file itself is the value. */
    readonly line?: number;
  }
  | { readonly kind: "default" };

export interface GivenValue<T> {
  readonly value: T;
  readonly origin: Origin;
  /** As it was written; undefined where nothing was, as for a flag. */
  readonly text?: string;
}

/**
 * What one source says, in its order: an entry for each time that an option is
 * given, and nothing for one that is not.
 */
export type GivenValues<T extends OptionTable> = {
  readonly [Name in ValueNames<T>]?: readonly GivenValue<EntryOf<T[Name]>>[];
};

/** What a table yields once defaults have filled the gaps. */
export type OptionValues<T extends OptionTable> = {
  readonly [Name in ValueNames<T>]: ValueOf<T[Name]>;
};

export interface Settings<T extends OptionTable> {
  readonly values: OptionValues<T>;
  /** Who has the last word on each option. */
  readonly origins: { readonly [Name in ValueNames<T>]: Origin };
  /** What messages call each option: by its long name, and where it stands. */
  readonly names: { readonly [Name in ValueNames<T>]: string };
}

type ValueNames<T extends OptionTable> = {
  [Name in keyof T]: T[Name] extends Action ? never : Name;
}[keyof T];

type EntryOf<O> = O extends Flag ? boolean
  : O extends { parse(text: string): infer V } ? V
  : never;

type ValueOf<O> = O extends Flag ? boolean
  : O extends Repeated<infer V> ? readonly V[]
  : O extends { parse(text: string): infer V; readonly default: infer D }
    ? V | D
  : never;

/** Also of what a source gives back to it. */
export const DEFAULT: Origin = { kind: "default" };

/**
 * Merges sources and fills the gaps with defaults. The first source that gives
 * an option decides on it, also where values collect: whoever names a log
 * target on the command line does not want those of a file as well.
 */
export function settingsOf<T extends OptionTable>(
  table: T,
  sources: readonly GivenValues<T>[],
): Settings<T> {
  const entries = Object.entries(table)
    .filter(([, { kind }]) => kind !== "help" && kind !== "version")
    .map(([key, option]) => {
      const name = key as ValueNames<T>;
      const given = sources.find((source) => name in source)?.[name] ?? [];
      const origin = given.at(-1)?.origin ?? DEFAULT;
      const value = valueOf(option, given.map(({ value }) => value));
      return { key, value, origin, option };
    });
  const record = <V>(pick: (entry: typeof entries[number]) => V) =>
    Object.fromEntries(entries.map((entry) => [entry.key, pick(entry)]));
  // The rows gave the entries their types; Object.fromEntries() forgets that.
  return {
    values: record(({ value }) => value),
    origins: record(({ origin }) => origin),
    names: record(({ option, origin }) => nameOf(option, origin)),
  } as Settings<T>;
}

/**
 * What of the sources counts: what one of them says takes the place of what a
 * lower one says, also where that is another option.
 */
export function withoutReplaced<T extends OptionTable>(
  table: T,
  sources: readonly GivenValues<T>[],
): readonly GivenValues<T>[] {
  const replaced = new Set<string>();
  return sources.map((source) => {
    const all: GivenValues<OptionTable> = source;
    const kept = Object.entries(all).filter(([key]) => !replaced.has(key));
    for (const [key, given] of kept) {
      const last = given?.at(-1);
      // What is taken back takes the place of nothing else.
      if (last?.value === false || last?.origin.kind === "default") continue;
      table[key]?.replaces?.forEach((other) => replaced.add(other));
    }
    // The source gave the values their types; Object.fromEntries() forgets that.
    return Object.fromEntries(kept) as GivenValues<T>;
  });
}

/** Of all values those that some rows describe. */
export function pick<T extends OptionTable>(
  values: OptionValues<T>,
  rows: T,
): OptionValues<T> {
  const entries = Object.entries(values).filter(([name]) => name in rows);
  return Object.fromEntries(entries) as OptionValues<T>;
}

/** What messages call an option, such as `--mtu` or `--mtu in a.conf:7`. */
function nameOf(option: Option, origin: Origin): string {
  const name = namesOf(option).at(-1) ?? "";
  return origin.kind === "file" ? `${name} in ${placeOf(origin)}` : name;
}

/** Where a file says something, such as `a.yaml:7`. */
export function placeOf(
  { path, line }: Extract<Origin, { kind: "file" }>,
): string {
  return line === undefined ? path : `${path}:${line}`;
}

function valueOf(option: Option, given: readonly unknown[]): unknown {
  switch (option.kind) {
    case "flag":
      return given.at(-1) ?? false;
    case "repeated":
      return given;
    case "single":
      return given.length > 0 ? given.at(-1) : option.default;
    case "help":
    case "version":
      return undefined;
  }
}
