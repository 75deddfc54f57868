// Choice of one of several programs in one binary.
import { OptionFault } from "../config/fault.ts";
import {
  isProgram,
  MAIN_PROGRAM,
  type ProgramName,
  PROGRAMS,
} from "../config/programs.ts";
import { nearest } from "../config/suggestion.ts";

interface ChosenProgram {
  readonly name: ProgramName;
  readonly rest: readonly string[];
}

const HELP = "help";
const VERSION = "version";

/**
 * Decides by the name that the binary was called by, then by the first word of
 * the arguments, which stands for the program `anytun-<word>`.
 * @param calledAs Name of the binary, with or without a path
 * @throws {OptionFault} if the first word is nearly one of these
 */
export function chooseProgram(
  calledAs: string,
  argv: readonly string[],
): ChosenProgram {
  const name = calledAs.slice(calledAs.lastIndexOf("/") + 1);
  if (name !== MAIN_PROGRAM && isProgram(name)) return { name, rest: argv };
  const [word = "", ...rest] = argv;
  const byWord = programOf(word);
  if (byWord !== undefined) return { name: byWord, rest };
  if (word === VERSION) return { name: MAIN_PROGRAM, rest: ["--version"] };
  if (word === HELP) return { name: helpFor(rest[0]), rest: ["--help"] };
  const meant = word.startsWith("-")
    ? undefined
    : nearest(word, [...words(), HELP, VERSION]);
  if (meant === undefined) return { name: MAIN_PROGRAM, rest: argv };
  throw unknown(word, `did you mean ${MAIN_PROGRAM} ${meant}?`);
}

function helpFor(about: string = MAIN_PROGRAM): ProgramName {
  const name = isProgram(about) ? about : programOf(about);
  if (name !== undefined) return name;
  throw unknown(about, `${MAIN_PROGRAM} ${HELP} names those that there are`);
}

function programOf(word: string): ProgramName | undefined {
  const name = `${MAIN_PROGRAM}-${word}`;
  return isProgram(name) ? name : undefined;
}

function words(): string[] {
  return Object.keys(PROGRAMS).filter((name) => name !== MAIN_PROGRAM)
    .map((name) => name.slice(MAIN_PROGRAM.length + 1));
}

function unknown(word: string, hint: string): OptionFault {
  return new OptionFault(`there is no program '${word}': ${hint}`);
}
