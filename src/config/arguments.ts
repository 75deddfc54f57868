/**
 * From arguments to the values of an option table (CLI section 1).
 *
 * @module
 */
import { SyntaxFault } from "./fault.ts";
import {
  type Action,
  BadValue,
  MASK,
  namesOf,
  type Option,
  type OptionTable,
  type OptionValues,
  type Valued,
} from "./option.ts";
import { unknownArgument } from "./unknown_argument.ts";

/** What the arguments ask for. */
export type ParsedArguments<T extends OptionTable> =
  | { readonly kind: Action["kind"] }
  | { readonly kind: "values"; readonly values: OptionValues<T> };

/**
 * Reads the arguments from left to right. Help and version act when they are
 * met, so that only errors before them count.
 *
 * @throws {SyntaxFault} for the first argument that cannot be used
 */
export function parseArguments<T extends OptionTable>(
  table: T,
  argv: readonly string[],
): ParsedArguments<T> {
  const options = byName(table);
  const values = new Map<Option, unknown>();
  for (let i = 0; i < argv.length; i++) {
    const given = argv[i] ?? "";
    const option = options.get(given);
    if (option === undefined) {
      throw unknownArgument(options, given, argv[i - 2]);
    }
    if ("parse" in option) {
      i++;
      const before = values.get(option) ?? initialValue(option);
      values.set(option, valueAfter(before, option, given, argv[i]));
    } else if (option.kind === "flag") {
      values.set(option, true);
    } else {
      return { kind: option.kind };
    }
  }
  const entries = Object.entries(table).map(([key, option]) =>
    [key, values.get(option) ?? initialValue(option)] as const
  );
  // The rows gave the entries their types; Object.fromEntries() forgets that.
  return {
    kind: "values",
    values: Object.fromEntries(entries) as OptionValues<T>,
  };
}

/** Each option by its short and its long name. */
function byName(table: OptionTable): ReadonlyMap<string, Option> {
  return new Map(
    Object.values(table).flatMap((option) =>
      namesOf(option).map((name) => [name, option] as const)
    ),
  );
}

function initialValue(option: Option): unknown {
  switch (option.kind) {
    case "flag":
      return false;
    case "single":
      return option.default;
    case "repeated":
      return [];
    case "help":
    case "version":
      return undefined;
  }
}

/** The value of an option once it was given with one more argument. */
function valueAfter(
  before: unknown,
  option: Valued,
  given: string,
  text: string | undefined,
): unknown {
  if (text === undefined) {
    const hint = `${given} needs a value: <${option.argument}>`;
    throw new SyntaxFault(given, given.length, hint);
  }
  if (option.kind === "repeated") {
    return [...before as readonly unknown[], parsed(option, given, text)];
  }
  return text === "" ? before : parsed(option, given, text);
}

function parsed(option: Valued, given: string, text: string): unknown {
  const shown = `${given} ${option.secret ? MASK : text}`;
  const valueOffset = given.length + 1;
  const isInput = text === "-" && option.standardInput;
  if (text.startsWith("-") && !isInput) {
    const hint = `the value of ${given} must not begin with '-'`;
    throw new SyntaxFault(shown, valueOffset, hint);
  }
  try {
    return option.parse(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    const hint = `${given} needs ${error.message}`;
    throw error.offset === undefined || option.secret
      ? new SyntaxFault(shown, valueOffset, hint)
      : new SyntaxFault(error.element ?? text, error.offset, hint);
  }
}
