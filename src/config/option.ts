// Kinds of options, and the rows of option tables.
import { parseDecimal } from "../net/decimal.ts";

type OptionGroup =
  | "General"
  | "Running"
  | "Speed"
  | "Network"
  | "Device"
  | "Connection"
  | "Keys and algorithms"
  | "Cluster";

interface Row {
  /** With its dash, such as `-p`. */
  readonly short?: string;
  /** With its dashes, such as `--port`. */
  readonly long: string;
  readonly group: OptionGroup;
  readonly help: string;
  /**
   * By their keys, options that it takes the place of where a lower source gives
   * them, such as a config file: those of which one alone can count.
   */
  readonly replaces?: readonly string[];
}

export interface Flag extends Row {
  readonly kind: "flag";
}

/** Prints a text and ends the program as soon as it is met. */
export interface Action extends Row {
  readonly kind: "help" | "version";
}

interface WithArgument<T> extends Row {
  /** What stands for the argument in the help text, such as `port`. */
  readonly argument: string;
  readonly parse: (text: string) => T;
  /** Values that have a name, to offer to whoever types one. */
  readonly choices?: readonly string[];
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** It may be `-`, which stands for standard input. */
  readonly standardInput?: boolean;
}

/** Takes an argument; the last one given counts. */
export interface Single<T, D extends T | undefined = T | undefined>
  extends WithArgument<T> {
  readonly kind: "single";
  /** Its value if it is not given, or given with an empty argument. */
  readonly default: D;
}

/** Takes an argument; all those given count, in their order. */
export interface Repeated<T> extends WithArgument<T> {
  readonly kind: "repeated";
}

/** One row of an option table. */
export type Option = Flag | Action | Single<unknown> | Repeated<unknown>;

export type Valued = Extract<Option, WithArgument<unknown>>;

/** The options of a program, by the names of their values. */
export type OptionTable = Readonly<Record<string, Option>>;

/** Whether the value of an option is never shown. */
export function isSecret(option: Option | undefined): boolean {
  return option !== undefined && "secret" in option && option.secret === true;
}

/** Stands for a secret wherever one might be shown. */
export const MASK = "****";

export function namesOf({ short, long }: Option): readonly string[] {
  return short === undefined ? [long] : [short, long];
}

export class BadValue extends Error {
  /** Where it goes wrong, if the syntax error is to show the value alone. */
  readonly offset: number | undefined;
  /** The part of the value to show, if not all of it. */
  readonly element: string | undefined;

  /**
   * @param expected What would be right, to follow "--option needs "
   * @param offset Characters before the fault, in a value shown alone
   * @param element The element at fault, of a value that is a list
   */
  constructor(expected: string, offset?: number, element?: string) {
    super(expected);
    this.name = "BadValue";
    this.offset = offset;
    this.element = element;
  }
}

export function flag(row: Omit<Flag, "kind">): Flag {
  return { kind: "flag", ...row };
}

/** A row that prints a text and ends the program. */
export function action(
  kind: Action["kind"],
  row: Omit<Action, "kind" | "group">,
): Action {
  return { kind, group: "General", ...row };
}

export function withDefault<T>(
  row: Omit<Single<T, NoInfer<T>>, "kind">,
): Single<T, T> {
  return { kind: "single", ...row };
}

export function optional<T>(
  row: Omit<Single<T, undefined>, "kind" | "default">,
): Single<T, undefined> {
  return { kind: "single", default: undefined, ...row };
}

export function repeated<T>(row: Omit<Repeated<T>, "kind">): Repeated<T> {
  return { kind: "repeated", ...row };
}

export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = parseDecimal(text, min, max);
    if (value === undefined) {
      throw new BadValue(`a decimal number from ${min} to ${max}`);
    }
    return value;
  };
}

export function anyText(text: string): string {
  return text;
}
