// Options in force as the YAML of a config file, each with where it comes from.
import { visibleJson } from "../log/visible.ts";
import { wrap } from "./help.ts";
import { fileOptions } from "./config_place.ts";
import { isSecret, MASK, type Option, type OptionTable } from "./option.ts";
import {
  type GivenValue,
  type GivenValues,
  type Origin,
  placeOf,
} from "./values.ts";

/** Of comments, without their beginning. */
const WIDTH = 78;

/** Text that YAML takes as it is, and that nobody takes for something else. */
const PLAIN = /^[A-Za-z0-9_/.+][A-Za-z0-9_/.+:,@=%-]*$/;

/**
 * Lines that say the same as all sources together, if they are a config file
 * themselves. Options without a value, and secrets, are comments.
 * @param given The first one that gives an option decides
 * @param isExplained Whether what an option does stands above it
 */
export function configText(
  table: OptionTable,
  given: readonly GivenValues<OptionTable>[],
  isExplained = false,
): string {
  let group: string | undefined;
  return fileOptions(table)
    .flatMap(([key, option]) => {
      const source = given.find((source) => key in source);
      const lines = linesOf(option, source?.[key] ?? []);
      if (!isExplained) return lines;
      const title = option.group === group ? [] : ["", `## ${option.group}`];
      group = option.group;
      return [...title, "", ...explanation(option), ...lines];
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** A config file with every option as a comment, to begin with. */
export function exampleText(table: OptionTable): string {
  const text = configText(table, [], true);
  return EXAMPLE_HEAD + text.replaceAll(/^(?=[a-z])/gm, "#");
}

const EXAMPLE_HEAD =
  `# One tunnel: /etc/anytun/<name>.yaml, for anytun --config <name>.
#
# Keys are the long names of options, see anytun(8) and anytun.yaml(5). Lines
# with '#key' have the default. "anytun check" says what is wrong with a file,
# "anytun show-config" what is in force.
`;

function explanation({ help }: Option): readonly string[] {
  return wrap(help, WIDTH).map((line) => `# ${line}`);
}

function linesOf(
  option: Option,
  given: readonly GivenValue<unknown>[],
): readonly string[] {
  const key = option.long.slice(2);
  const last = given.at(-1);
  if (last === undefined || last.origin.kind === "default") {
    return [defaultLine(key, option)];
  }
  if (isSecret(option)) {
    return [`# ${key}: ${MASK} # ${originText(last.origin)}`];
  }
  if (option.kind !== "repeated") {
    return [`${key}: ${scalar(last)} # ${originText(last.origin)}`];
  }
  const items = given.map((value) =>
    `  - ${scalar(value)} # ${originText(value.origin)}`
  );
  return [`${key}:`, ...items];
}

function defaultLine(key: string, option: Option): string {
  if (option.kind === "flag") return `${key}: false # default`;
  const value = option.kind === "single" ? option.default : undefined;
  if (typeof value === "number" || typeof value === "string") {
    return `${key}: ${quoted(String(value))} # default`;
  }
  const argument = "argument" in option ? ` <${option.argument}>` : "";
  return `# ${key}:${argument} # not given`;
}

function scalar({ value, text }: GivenValue<unknown>): string {
  return text === undefined ? String(value) : quoted(text);
}

/** JSON's strings are YAML's with double quotes. */
function quoted(text: string): string {
  return PLAIN.test(text) && !text.endsWith(":") ? text : visibleJson(text);
}

function originText(origin: Origin): string {
  switch (origin.kind) {
    case "argument":
      return "argument";
    case "file":
      return oneLine(placeOf(origin));
    case "default":
      return "default";
  }
}

/** A path may hold anything, and a comment ends with its line. */
function oneLine(text: string): string {
  return visibleJson(text).slice(1, -1);
}
