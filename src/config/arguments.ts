// Arguments as given values (CLI section 1).
import { SyntaxFault } from "./fault.ts";
import {
  type Action,
  BadValue,
  isSecret,
  MASK,
  namesOf,
  type Option,
  type OptionTable,
  type Valued,
} from "./option.ts";
import { unknownArgument } from "./suggestion.ts";
import {
  DEFAULT,
  type GivenValue,
  type GivenValues,
  type Origin,
} from "./values.ts";

type ReadArguments<T extends OptionTable> =
  | { readonly kind: Action["kind"] }
  | { readonly kind: "values"; readonly given: GivenValues<T> };

/** Values by the keys of the table. */
type Given = Map<string, readonly GivenValue<unknown>[]>;

const ARGUMENT: Origin = { kind: "argument" };

/**
 * Reads the arguments from left to right. Help and version act when they are
 * met, so that only errors before them count. An empty argument leaves an
 * option with one value as it was among the arguments: where nothing was said
 * before it stands for the default, whatever a lower source says.
 */
export function readArguments<T extends OptionTable>(
  table: T,
  argv: readonly string[],
): ReadArguments<T> {
  const keys = byName(table);
  const options = new Map(
    Array.from(keys, ([name, [, option]]) => [name, option]),
  );
  const given: Given = new Map();
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    const [name, said] = flagIn(options, word);
    const found = keys.get(name);
    if (found === undefined) {
      throw unknownArgument(options, name, argv[i - 2]);
    }
    const [key, option] = found;
    if ("parse" in option) {
      i++;
      const text = argv[i];
      if (text === undefined) throw missingValue(option, name);
      if (text !== "" || option.kind !== "single") {
        note(given, key, parsed(option, name, text), text);
      } else if (!given.has(key)) {
        given.set(key, [{ value: option.default, origin: DEFAULT }]);
      }
    } else if (option.kind === "flag") {
      note(given, key, said);
    } else {
      return { kind: option.kind };
    }
  }
  // The rows gave the values their types; Object.fromEntries() forgets that.
  return { kind: "values", given: Object.fromEntries(given) as GivenValues<T> };
}

/**
 * Splits `--name=true` and `--name=false`, by which an argument takes back what
 * a file says of a flag. Other words stay as they are.
 */
function flagIn(
  options: ReadonlyMap<string, Option>,
  word: string,
): readonly [name: string, said: boolean] {
  const equals = word.indexOf("=");
  const name = word.slice(0, equals);
  const isFlag = equals > 0 && name.startsWith("--") &&
    options.get(name)?.kind === "flag";
  if (!isFlag) return [word, true];
  const value = word.slice(equals + 1);
  if (value === "true" || value === "false") return [name, value === "true"];
  throw new SyntaxFault(
    word,
    equals + 1,
    `${name} needs true or false, or nothing behind it`,
  );
}

function note(
  given: Given,
  key: string,
  value: unknown,
  text?: string,
): void {
  const values = given.get(key) ?? [];
  const written = text === undefined ? {} : { text };
  given.set(key, [...values, { value, origin: ARGUMENT, ...written }]);
}

/**
 * The indexes of the arguments that follow an option for a secret. Nothing is
 * checked, so that they can be hidden before anything else happens.
 */
export function secretArguments(
  table: OptionTable,
  argv: readonly string[],
): number[] {
  const names = new Set(
    Object.values(table)
      .filter(isSecret)
      .flatMap(namesOf),
  );
  return [...argv.keys()].filter((index) => names.has(argv[index - 1] ?? ""));
}

/** Words, such as names of tunnels, and what options are to be read of. */
type SplitArguments = readonly [
  words: readonly string[],
  options: readonly string[],
];

/** Words in front of all options, which may be those of another program. */
export function splitWords(argv: readonly string[]): SplitArguments {
  const first = argv.findIndex((argument) => argument.startsWith("-"));
  const end = first < 0 ? argv.length : first;
  return [argv.slice(0, end), argv.slice(end)];
}

/** Words that may stand before and behind options. */
export function wordsAmong(
  table: OptionTable,
  argv: readonly string[],
): SplitArguments {
  const keys = byName(table);
  const optionOf = (name = "") => keys.get(name)?.[1];
  const words: string[] = [];
  const options: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word.startsWith("-")) {
      options.push(word);
      const takesValue = "parse" in (optionOf(word) ?? {});
      if (takesValue) options.push(...argv.slice(++at, at + 1));
    } else if (isSecret(optionOf(argv[at - 2]))) {
      // Torn off a secret with a blank in it: the reader of options masks it.
      options.push(word);
    } else words.push(word);
  }
  return [words, options];
}

function byName(
  table: OptionTable,
): ReadonlyMap<string, readonly [string, Option]> {
  return new Map(
    Object.entries(table).flatMap((entry) =>
      namesOf(entry[1]).map((name) => [name, entry] as const)
    ),
  );
}

function missingValue(option: Valued, given: string): SyntaxFault {
  const hint = `${given} needs a value: <${option.argument}>`;
  return new SyntaxFault(given, given.length, hint);
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
