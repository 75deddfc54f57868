/**
 * Which of several programs in one binary is meant.
 *
 * @module
 */

/** The program and what is left of the arguments for it. */
export interface ChosenProgram {
  readonly name: string;
  readonly rest: readonly string[];
}

/** The program that is meant unless another one is. */
const MAIN_PROGRAM = "anytun";

/**
 * Decides by the name that the binary was called by, then by the first word of
 * the arguments, which stands for the program `anytun-<word>`.
 *
 * @param programs Names of all programs
 * @param calledAs Name of the binary, with or without a path
 */
export function chooseProgram(
  programs: readonly string[],
  calledAs: string,
  argv: readonly string[],
): ChosenProgram {
  const name = calledAs.slice(calledAs.lastIndexOf("/") + 1);
  if (name !== MAIN_PROGRAM && programs.includes(name)) {
    return { name, rest: argv };
  }
  const [word, ...rest] = argv;
  const byWord = `${MAIN_PROGRAM}-${word}`;
  return programs.includes(byWord)
    ? { name: byWord, rest }
    : { name: MAIN_PROGRAM, rest: argv };
}
