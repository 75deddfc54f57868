/**
 * Which arguments hold secrets.
 *
 * @module
 */
import { namesOf, type OptionTable } from "./option.ts";

/**
 * The indexes of the arguments that follow an option for a secret. Nothing is
 * checked, so that they can be hidden before anything else happens.
 *
 * @param argv Without the name of the program
 */
export function secretArguments(
  table: OptionTable,
  argv: readonly string[],
): number[] {
  const names = new Set(
    Object.values(table)
      .filter((option) => "secret" in option && option.secret)
      .flatMap(namesOf),
  );
  return [...argv.keys()].filter((index) => names.has(argv[index - 1] ?? ""));
}
