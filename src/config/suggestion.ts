// Suggestions for misspelt arguments.
import { SyntaxFault } from "./fault.ts";
import { isSecret, MASK, type Option } from "./option.ts";

type Options = ReadonlyMap<string, Option>;

/**
 * Makes the report of an unknown argument. It may hold a secret, attached to
 * its option or torn apart by a blank, which is masked.
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

/**
 * The candidate with the fewest slips of the pen, if they are few for its
 * length: one in three characters.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    // An argument may be long, and each character too many is a slip.
    const atLeast = Math.abs(word.length - candidate.length);
    if (atLeast * 3 > candidate.length) continue;
    const slips = editDistance(word, candidate);
    if (slips < fewest && slips * 3 <= candidate.length) {
      best = candidate;
      fewest = slips;
    }
  }
  return best;
}

/**
 * How many characters are missing, too many, wrong, or swapped with their
 * neighbour (optimal string alignment distance).
 */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const [beforePrevious, above] = [previous, row];
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(
        at(above, j) + 1,
        at(row, j - 1) + 1,
        at(above, j - 1) + same,
        swapped ? at(beforePrevious, j - 2) + 1 : Infinity,
      ));
    }
    previous = above;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
