// Config files as given values: what stands in them, in terms of options.
import { escapeControls } from "../log/line.ts";
import { type ConfigFormat, fileOptions } from "./config_place.ts";
import { OptionFault } from "./fault.ts";
import {
  type FileEntry,
  type FileScalar,
  FormatFault,
  type Spot,
} from "./file_entry.ts";
import { textIn } from "./file_text.ts";
import { readLines } from "./lines_file.ts";
import {
  BadValue,
  isSecret,
  MASK,
  namesOf,
  type Option,
  type OptionTable,
  type Valued,
} from "./option.ts";
import { nearest } from "./suggestion.ts";
import type { GivenValue, GivenValues } from "./values.ts";
import { readYaml } from "./yaml_file.ts";

export interface ConfigText {
  /** For messages. */
  readonly path: string;
  readonly format: ConfigFormat;
  readonly bytes: Uint8Array;
}

/** See {@linkcode readConfigText}. */
export type ReadConfigText = typeof readConfigText;

/** Characters of the start of a name that are taken for it. */
const SHORTEST_START = 3;

/** Faults that people look at: more is a file of another kind. */
const MAX_FAULTS = 20;

/** Characters of a value that messages show. */
const SHOWN_LENGTH = 60;

/** A misspelt option; anything else may be a secret in a wrong place. */
const OPTION_LIKE = /^-{0,2}[A-Za-z][A-Za-z0-9_-]{0,30}$/;

/** Characters that have no place in a value, and half characters. */
// deno-lint-ignore no-control-regex
const UNFIT = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Reads what a file says about the options of a table.
 * @param isMeant Keys that are of interest; others are passed over
 * @throws {OptionFault} with all that is wrong, a line each: path, line, column,
 * key, value unless it is a secret, and what would be right
 */
export function readConfigText<T extends OptionTable>(
  table: T,
  text: ConfigText,
  isMeant: (key: string) => boolean = () => true,
): GivenValues<T> {
  const entries = entriesOf(text).filter(({ key }) => isMeant(key));
  const reader = new Reader(table, text);
  for (const entry of entries) {
    reader.add(entry);
    if (reader.isHopeless) break;
  }
  return reader.given();
}

function entriesOf({ path, format, bytes }: ConfigText): readonly FileEntry[] {
  try {
    const text = textIn(bytes);
    return format === "yaml" ? readYaml(text) : readLines(text);
  } catch (error) {
    if (!(error instanceof FormatFault)) throw error;
    throw new OptionFault(lineOf(path, error.spot, error.message), error);
  }
}

function lineOf(path: string, { line, column }: Spot, text: string): string {
  return `${path}:${line}:${column}: ${text}`;
}

class Reader {
  readonly #options: ReadonlyMap<string, readonly [string, Option]>;
  readonly #text: ConfigText;
  readonly #given = new Map<string, GivenValue<unknown>[]>();
  readonly #lines = new Map<string, Spot>();
  readonly #faults: string[] = [];
  /** Whether the entry before was about a secret. */
  #isAfterSecret = false;

  constructor(table: OptionTable, text: ConfigText) {
    this.#text = text;
    this.#options = new Map(
      fileOptions(table)
        .map((row) => [row[1].long.slice(2), row]),
    );
  }

  given<T extends OptionTable>(): GivenValues<T> {
    if (this.#faults.length > 0) throw new FileFault(this.#faults);
    const given: ReadonlyMap<string, readonly GivenValue<unknown>[]> =
      this.#given;
    // The rows gave the values their types; Object.fromEntries() forgets that.
    return Object.fromEntries(given) as GivenValues<T>;
  }

  /** Whether it has more faults than are told. */
  get isHopeless(): boolean {
    return this.#faults.length > MAX_FAULTS;
  }

  add(entry: FileEntry): void {
    const row = this.#options.get(entry.key);
    if (row === undefined) this.#addUnknown(entry);
    else this.#addKnown(row[0], row[1], entry);
    this.#isAfterSecret = row !== undefined && isSecret(row[1]);
  }

  #addKnown(name: string, option: Option, entry: FileEntry): void {
    const { key } = entry;
    for (const fault of entry.faults) {
      this.#fault(fault, `${key}: ${fault.text}`);
    }
    const mayRepeat = option.kind === "repeated" &&
      this.#text.format === "lines";
    const before = this.#lines.get(key);
    this.#lines.set(key, entry);
    if (before !== undefined && !mayRepeat) {
      const which = option.kind === "repeated" ? "write a list" : "remove one";
      this.#fault(
        entry,
        `${key} is there a second time, the first is in line ` +
          `${before.line}: ${which}`,
      );
    }
    if (entry.faults.length > 0) return;
    if ("parse" in option) this.#addValues(name, option, entry);
    else this.#addFlag(name, entry);
  }

  #addValues(name: string, option: Valued, entry: FileEntry): void {
    const { key, value } = entry;
    if (value.kind === "list" && option.kind !== "repeated") {
      this.#fault(entry, `${key} takes one value, not a list`);
      return;
    }
    const scalars = value.kind === "list"
      ? value.items
      : value.kind === "scalar"
      ? [value.scalar]
      : [];
    if (scalars.length === 0) this.#faultOfNothing(option, entry, entry);
    for (const scalar of scalars) {
      if (scalar.text === "") this.#faultOfNothing(option, entry, scalar);
      else this.#addValue(name, option, entry, scalar);
    }
  }

  #faultOfNothing(option: Valued, { key }: FileEntry, spot: Spot): void {
    const what = `<${option.argument}>`;
    this.#fault(spot, `${key} needs a value: ${what}, or leave it out`);
  }

  #addValue(
    name: string,
    option: Valued,
    { key }: FileEntry,
    scalar: FileScalar,
  ): void {
    const { text } = scalar;
    const refuse = (why: string) => {
      const shown = option.secret ? MASK : shortened(text);
      this.#fault(scalar, `Cannot use ${key} '${shown}': it ${why}`);
    };
    if (UNFIT.test(text) || !text.isWellFormed()) {
      refuse("must not have control characters, nor half a character");
      return;
    }
    // As among arguments, where it would be an option. Secrets are never one.
    const mayBegin = option.secret || text === "-" && option.standardInput;
    if (text.startsWith("-") && !mayBegin) {
      refuse("must not begin with '-'");
      return;
    }
    try {
      this.#note(name, option.parse(text), scalar, text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      refuse(`needs ${error.message}`);
    }
  }

  #addFlag(name: string, entry: FileEntry): void {
    const { key, value } = entry;
    if (this.#text.format === "lines") {
      if (value.kind === "none") this.#note(name, true, entry);
      else this.#fault(entry, `${key} takes no value: it is there, or not`);
      return;
    }
    const scalar = value.kind === "scalar" ? value.scalar : undefined;
    const { text = "", isQuoted = false } = scalar ?? {};
    if (!isQuoted && (text === "true" || text === "false")) {
      this.#note(name, text === "true", scalar ?? entry);
      return;
    }
    const quotes = isQuoted ? ", without quotes" : "";
    const shown = scalar === undefined ? "" : ` '${shortened(text)}'`;
    this.#fault(
      scalar ?? entry,
      `Cannot use ${key}${shown}: it needs true or false${quotes}`,
    );
  }

  #addUnknown({ key, line, column }: FileEntry): void {
    if (this.#hasSecret(key)) {
      return this.#fault(
        { line, column },
        `there is no option '${MASK}': its value needs a blank before it`,
      );
    }
    const isTelling = this.#isAfterSecret || !OPTION_LIKE.test(key);
    const meant = this.#meant(key) ??
      (isTelling ? undefined : this.#startOf(key));
    const shown = meant === undefined && isTelling ? MASK : key;
    const hint = meant === undefined ? "see --help" : `did you mean ${meant}?`;
    this.#fault({ line, column }, `there is no option '${shown}': ${hint}`);
  }

  /** Whether it is a secret's name with the secret behind it, and no blank. */
  #hasSecret(key: string): boolean {
    const [name = ""] = key.split(":");
    return name !== key && isSecret(this.#options.get(name)?.[1]);
  }

  #meant(key: string): string | undefined {
    const name = key.replace(/^-+/, "").replaceAll("_", "-");
    if (this.#options.has(name)) return name;
    const short = [...this.#options.values()]
      .find(([, option]) => namesOf(option).includes(`-${name}`));
    const longer = [...this.#options.keys()]
      .filter((key) => name.length >= SHORTEST_START && key.startsWith(name));
    return short?.[1].long.slice(2) ??
      (longer.length === 1 ? longer[0] : nearest(name, this.#options.keys()));
  }

  /** The longest name that a longer word begins with: dev of device. */
  #startOf(key: string): string | undefined {
    return [...this.#options.keys()]
      .filter((name) => name.length >= SHORTEST_START && key.startsWith(name))
      .toSorted((a, b) => b.length - a.length)[0];
  }

  #note(name: string, value: unknown, { line }: Spot, text?: string): void {
    const values = this.#given.get(name) ?? [];
    const origin = { kind: "file", path: this.#text.path, line } as const;
    const written = text === undefined ? {} : { text };
    values.push({ value, origin, ...written });
    this.#given.set(name, values);
  }

  #fault(spot: Spot, text: string): void {
    const { length } = this.#faults;
    if (length > MAX_FAULTS) return;
    if (length === MAX_FAULTS) text = "there are more faults from here on";
    this.#faults.push(escapeControls(lineOf(this.#text.path, spot, text)));
  }
}

/** Several lines, each without control characters. */
class FileFault extends OptionFault {
  constructor(lines: readonly string[]) {
    super("");
    this.message = lines.join("\n");
  }
}

function shortened(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
