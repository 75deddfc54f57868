/**
 * What to say about an argument that is no option.
 *
 * @module
 */
import { SyntaxFault } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { MASK, type Option } from "./option.ts";

/** Options by their short and long names. */
type Options = ReadonlyMap<string, Option>;

/**
 * Makes the report of an unknown argument. It may hold a secret, attached to
 * its option or torn apart by a blank, which is masked.
 *
 * @param beforeLast The argument before the one before
 */
export function unknownArgument(
  options: Options,
  given: string,
  beforeLast: string | undefined,
): SyntaxFault {
  if (given.startsWith("-")) {
    return new SyntaxFault(
      withoutSecret(options, given),
      0,
      suggestion(options, given),
    );
  }
  const torn = beforeLast !== undefined && isSecret(options.get(beforeLast));
  return torn
    ? new SyntaxFault(MASK, 0, "a value with blanks needs quotes")
    : new SyntaxFault(given, 0);
}

/** Masks the value of `-Evalue`, `--key=value` and `--misspelt=value`. */
function withoutSecret(options: Options, given: string): string {
  const short = given.slice(0, 2);
  if (isSecret(options.get(short))) return short + MASK;
  const equals = given.indexOf("=");
  if (equals < 0) return given;
  const option = options.get(given.slice(0, equals));
  return option === undefined || isSecret(option)
    ? given.slice(0, equals + 1) + MASK
    : given;
}

function suggestion(options: Options, given: string): string | undefined {
  const [name = ""] = given.split("=", 1);
  if (options.has(`-${name}`)) return `did you mean -${name}?`;
  const attached = [name, given.slice(0, 2)]
    .find((start) => start !== given && takesValue(options.get(start)));
  if (attached !== undefined) {
    return `the value of ${attached} must be an argument of its own`;
  }
  const long = [...options.keys()].filter((key) => key.startsWith("--"));
  const meant = nearest(
    name.replace(/^-+/, ""),
    long.map((key) => key.slice(2)),
  );
  return meant && `did you mean --${meant}?`;
}

function takesValue(option: Option | undefined): boolean {
  return option !== undefined && "parse" in option;
}

function isSecret(option: Option | undefined): boolean {
  return option !== undefined && "secret" in option && option.secret === true;
}
