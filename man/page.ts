// A manual page, from what it says to its text.
import type { Option, OptionTable } from "../src/config/option.ts";
import type { ProgramName } from "../src/config/programs.ts";
import { keysOf } from "./texts.ts";
import { marked, paragraph, verbatim } from "./roff.ts";

/** A paragraph, a heading, lines as they are, or terms with their meaning. */
export type Block =
  | string
  | { readonly heading: string }
  | { readonly lines: readonly string[] }
  | { readonly terms: readonly (readonly [string, string])[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Page {
  readonly name: string;
  /** Of the manual: 5 for files, 8 for programs of administrators. */
  readonly section: 5 | 8;
  /** What it is, to follow the name. */
  readonly purpose: string;
  readonly synopsis: readonly string[];
  readonly sections: readonly Section[];
}

/** What of the page of a program stands elsewhere already. */
export interface Known {
  readonly options: Section;
  /** A section of the help, such as `Signals`. */
  help(title: string): Block;
}

export interface Release {
  readonly version: string;
  /** Such as 2026-11-29. */
  readonly date: string;
}

const VOLUMES = { 5: "File Formats", 8: "System Administration" };

export function pageText(page: Page, { version, date }: Release): string {
  const { name, section } = page;
  const head = [name.toUpperCase(), section, date, `anytun ${version}`];
  return [
    `.TH ${[...head, VOLUMES[section]].map((one) => `"${one}"`).join(" ")}`,
    ".SH NAME",
    `${name} \\- ${page.purpose}`,
    ".SH SYNOPSIS",
    page.synopsis.map((text) => marked(text)).join("\n.br\n"),
    ...page.sections.map(sectionText),
  ].join("\n") + "\n";
}

function sectionText({ title, blocks }: Section): string {
  const texts = blocks.map((block, at) => {
    if (typeof block !== "string") return blockText(block);
    return at === 0 ? paragraph(block) : `.PP\n${paragraph(block)}`;
  });
  return [`.SH ${title.toUpperCase()}`, ...texts].join("\n");
}

function blockText(block: Exclude<Block, string>): string {
  if ("heading" in block) return `.SS ${block.heading}`;
  if ("lines" in block) return verbatim(block.lines);
  return block.terms.map(([term, text]) =>
    `.TP\n${marked(term)}\n${paragraph(text)}`
  ).join("\n");
}

/** The options of a program, by their groups. */
export function optionsSection(
  program: ProgramName,
  table: OptionTable,
  texts: ReadonlyMap<string, string>,
): Section {
  const groups = Map.groupBy(Object.values(table), ({ group }) => group);
  const blocks = [...groups].flatMap(([group, options]): Block[] => [
    { heading: group },
    {
      terms: options.map((option) =>
        [synopsisOf(option), textOf(program, option, texts)] as const
      ),
    },
  ]);
  return { title: "Options", blocks };
}

function synopsisOf(option: Option): string {
  const { short, long } = option;
  const names = short === undefined ? long : `${short}, ${long}`;
  return "argument" in option ? `${names} <${option.argument}>` : names;
}

/** Its longer text, or that of the help where there is none yet. */
export function textOf(
  program: ProgramName,
  option: Option,
  texts: ReadonlyMap<string, string>,
): string {
  for (const key of keysOf(program, option)) {
    const text = texts.get(key);
    if (text !== undefined) return text;
  }
  return `${option.help}.`;
}
