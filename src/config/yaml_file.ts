// Config files in YAML: one mapping of keys to scalars, or to lists of them.
//
// No schema is applied: what stands for a value is its text, so that `null` is
// a cipher, `off` a word, and 0123 no octal number.
import {
  type Event,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import {
  type FileEntry,
  type FileScalar,
  FormatFault,
  type SpotFault,
  SpotFinder,
} from "./file_entry.ts";

/** Far more than any value has: whatever is deeper is refused as nested. */
const MAX_DEPTH = 16;

/** Reasons of the parser that name what is in the file. */
const TELLING =
  /^(tag name cannot contain|undeclared tag handle|there is a previously)/;

const NO_RANGE = -1;

/** @throws {FormatFault} at the first place that is not what it has to be */
export function readYaml(text: string): readonly FileEntry[] {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #spots: SpotFinder;
  readonly #events: readonly Event[];
  #next = 0;
  /** The end of what was last read, where an empty value stands. */
  #end = 0;

  constructor(text: string) {
    this.#text = text;
    this.#spots = new SpotFinder(text);
    this.#events = this.#parse();
  }

  read(): readonly FileEntry[] {
    const first = this.#take();
    if (first === undefined) return [];
    const entries = this.#document(this.#take());
    if (this.#take() === undefined) return entries;
    const text = "there is a second document: one is all there can be";
    throw this.#fault(text, this.#take());
  }

  #parse(): readonly Event[] {
    try {
      return parseEvents(this.#text, { maxDepth: MAX_DEPTH });
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      const spot = this.#spots.at(error.mark?.position ?? 0);
      throw new FormatFault(
        `this is no YAML: ${reasonFor(error.reason)}`,
        spot,
      );
    }
  }

  #document(event: Event | undefined): readonly FileEntry[] {
    if (event?.type === EVENT_ID.SCALAR && this.#isEmpty(event)) {
      this.#take();
      return [];
    }
    if (event?.type !== EVENT_ID.MAPPING) {
      throw this.#fault("options have to be lines such as port: 4444", event);
    }
    if (properties(event) > 0) throw this.#fault(PROPERTIES, event);
    const entries: FileEntry[] = [];
    for (;;) {
      const key = this.#take();
      if (key === undefined || key.type === EVENT_ID.POP) break;
      entries.push(this.#entry(key));
    }
    this.#take();
    return entries;
  }

  #entry(key: Event): FileEntry {
    if (key.type !== EVENT_ID.SCALAR) {
      throw this.#fault("a key has to be the long name of an option", key);
    }
    const spot = this.#spots.at(offsetOf(key) ?? this.#end);
    const faults: SpotFault[] = [];
    if (properties(key) > 0) faults.push({ ...spot, text: PROPERTIES });
    const name = this.#isEmpty(key) ? "" : getScalarValue(this.#text, key);
    this.#end = Math.max(this.#end, key.valueEnd);
    return { ...spot, key: name, value: this.#value(faults), faults };
  }

  #value(faults: SpotFault[]): FileEntry["value"] {
    const event = this.#take();
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#isEmpty(event) && event.style === SCALAR_STYLE.PLAIN
          ? this.#nothing(event, faults)
          : { kind: "scalar", scalar: this.#scalar(event, faults) };
      case EVENT_ID.SEQUENCE:
        return this.#list(event, faults);
      default:
        return this.#nothing(event, faults);
    }
  }

  #list(event: Event, faults: SpotFault[]): FileEntry["value"] {
    this.#checkProperties(event, faults);
    const items: FileScalar[] = [];
    for (;;) {
      const item = this.#take();
      if (item === undefined || item.type === EVENT_ID.POP) break;
      if (item.type === EVENT_ID.SCALAR) items.push(this.#scalar(item, faults));
      else this.#nothing(item, faults);
    }
    return { kind: "list", items };
  }

  /** Passes what no option has for a value. */
  #nothing(event: Event | undefined, faults: SpotFault[]): FileEntry["value"] {
    this.#checkProperties(event, faults);
    if (event?.type === EVENT_ID.ALIAS) this.#add(faults, event, ALIAS);
    const isCollection = event?.type === EVENT_ID.MAPPING ||
      event?.type === EVENT_ID.SEQUENCE;
    if (isCollection) {
      this.#add(faults, event, NESTED);
      this.#skip();
    }
    return { kind: "none" };
  }

  #scalar(event: ScalarEvent, faults: SpotFault[]): FileScalar {
    this.#checkProperties(event, faults);
    const spot = this.#spots.at(offsetOf(event) ?? this.#end);
    if (this.#isEmpty(event)) return { ...spot, text: "", isQuoted: false };
    this.#end = event.valueEnd;
    const written = this.#text.slice(event.valueStart, event.valueEnd);
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK ||
      event.style === SCALAR_STYLE.FOLDED_BLOCK;
    if (isBlock || /[\r\n]/.test(written)) {
      faults.push({ ...spot, text: SEVERAL_LINES });
    }
    const text = getScalarValue(this.#text, event);
    return { ...spot, text, isQuoted: event.style !== SCALAR_STYLE.PLAIN };
  }

  #checkProperties(event: Event | undefined, faults: SpotFault[]): void {
    if (properties(event) > 0) this.#add(faults, event, PROPERTIES);
  }

  #add(faults: SpotFault[], event: Event | undefined, text: string): void {
    const spot = this.#spots.at(offsetOf(event) ?? this.#end);
    faults.push({ ...spot, text });
  }

  /** Passes all of a collection whose beginning was taken. */
  #skip(): void {
    for (let depth = 1; depth > 0;) {
      const event = this.#take();
      if (event === undefined) return;
      if (event.type === EVENT_ID.POP) depth--;
      else if (isOpening(event)) depth++;
    }
  }

  #isEmpty(event: ScalarEvent): boolean {
    return event.valueStart === NO_RANGE;
  }

  #take(): Event | undefined {
    return this.#events[this.#next++];
  }

  #fault(text: string, event?: Event): FormatFault {
    return new FormatFault(text, this.#spots.at(offsetOf(event) ?? this.#end));
  }
}

const PROPERTIES = "anchors (&) and tags (!) are not supported: a value that " +
  "begins like one needs quotes";
const ALIAS = "aliases (*) are not supported: write the value itself, or put " +
  "it into quotes";
const NESTED = "a value must not hold keys or lists of its own: it has to be " +
  "a scalar or a list of scalars, and text with ': ' in it needs quotes";
const SEVERAL_LINES = "a value has to stand on one line, behind its key or " +
  "its dash";

function isOpening({ type }: Event): boolean {
  return type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE;
}

/** How many anchors and tags stand before a node. */
function properties(event: Event | undefined): number {
  if (event === undefined || !("tagStart" in event)) return 0;
  return [event.tagStart, event.anchorStart]
    .filter((start) => start !== NO_RANGE).length;
}

/** Where a node begins, if it has any characters. */
function offsetOf(event: Event | undefined): number | undefined {
  if (event === undefined) return undefined;
  // Of an anchor, and of an alias, the name alone is counted.
  const starts = "tagStart" in event
    ? [event.tagStart, event.anchorStart - 1]
    : [];
  if ("valueStart" in event) {
    const { valueStart, style } = event;
    const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED ||
      style === SCALAR_STYLE.DOUBLE_QUOTED;
    starts.push(isQuoted ? valueStart - 1 : valueStart);
  } else if ("start" in event) starts.push(event.start);
  else if ("anchorStart" in event) starts.push(event.anchorStart - 1);
  const known = starts.filter((start) => start >= 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

function reasonFor(reason: string): string {
  if (TELLING.test(reason)) {
    return "a value that begins with ! needs quotes";
  }
  if (reason === "bad indentation of a mapping entry") {
    return `${reason}, or a value with ': ' in it, which needs quotes`;
  }
  return reason.startsWith("nesting exceeded") ? NESTED : reason;
}
