// The help text.
import type { Option, OptionTable } from "./option.ts";
import { callOf, type ProgramName } from "./programs.ts";

const WIDTH = 80;
const HELP_COLUMN = 32;

export interface HelpSection {
  readonly title: string;
  /** At most 78 columns wide. */
  readonly lines: readonly string[];
}

/**
 * Usage and options of a program, by groups, at most 80 columns wide.
 * @param words What stands in front of the options, such as `[name]`
 */
export function helpText(
  program: ProgramName,
  table: OptionTable,
  more: readonly HelpSection[],
  words: string = "",
): string {
  const options = Object.values(table);
  const groups = Map.groupBy(options, ({ group }) => group);
  const sections = [...groups].map(([group, members]) =>
    [`${group}:`, ...members.flatMap(optionLines)].join("\n")
  );
  const others = more.map(({ title, lines }) =>
    [`${title}:`, ...lines.map((line) => `  ${line}`)].join("\n")
  );
  const text = [...sections, ...others].join("\n\n");
  const usage = [callOf(program), words, "[options]"]
    .filter((part) => part !== "").join(" ");
  return `USAGE:\n${usage}\n\n${text}\n`;
}

function optionLines(option: Option): string[] {
  const short = option.short === undefined ? "    " : `${option.short}, `;
  const argument = "argument" in option ? ` <${option.argument}>` : "";
  const synopsis = `  ${short}${option.long}${argument}`;
  const [first = "", ...others] = wrap(
    option.help + defaultText(option),
    WIDTH - HELP_COLUMN,
  );
  const indent = " ".repeat(HELP_COLUMN);
  const rest = others.map((line) => indent + line);
  return synopsis.length < HELP_COLUMN - 1
    ? [synopsis.padEnd(HELP_COLUMN) + first, ...rest]
    : [synopsis, indent + first, ...rest];
}

function defaultText(option: Option): string {
  return option.kind === "single" && option.default !== undefined
    ? ` (default ${option.default})`
    : "";
}

/** Lines of at most so many characters, as far as words let it. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
