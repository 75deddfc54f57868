// Fields of foreign JSON, checked as they are read.
import type { Counts } from "./report.ts";

/** The answer is no report. */
export class ReportError extends Error {
  /** @param what Place in the report, such as `connections[3].mux` */
  constructor(what: string) {
    super(`Cannot read the report: ${what}`);
    this.name = "ReportError";
  }
}

type Reader<T> = (value: unknown, place: string) => T;

/** @throws {ReportError} if it is no object of JSON */
export function objectOf(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ReportError("it is not JSON");
  }
  return new Fields(value, "");
}

export function textOf(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  throw new ReportError(`${place} is no text`);
}

export function numberOf(value: unknown, place: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) {
    // There is a zero below zero.
    return Math.abs(value);
  }
  throw new ReportError(`${place} is no number from 0 on`);
}

export function flagOf(value: unknown, place: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ReportError(`${place} is neither true nor false`);
}

/** Fields of an object, by their names. */
export class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ReportError(`${place || "it"} is no object`);
    }
    this.#fields = new Map(Object.entries(value));
    this.#place = place;
  }

  text(name: string): string {
    return this.#read(name, textOf);
  }

  number(name: string): number {
    return this.#read(name, numberOf);
  }

  /** 0 where it is missing: not all daemons of the same format tell it. */
  numberOrNone(name: string): number {
    return this.#fields.has(name) ? this.number(name) : 0;
  }

  /** @throws {ReportError} for a format other than the one that is read */
  format<F extends number>(known: F): F {
    const format = this.number("format");
    if (format === known) return known;
    throw new ReportError(
      `its format is ${format}, and this program reads ${known}`,
    );
  }

  flag(name: string): boolean {
    return this.#read(name, flagOf);
  }

  oneOf<T extends string>(name: string, texts: readonly T[]): T {
    const text = this.text(name);
    const found = texts.find((one) => one === text);
    if (found !== undefined) return found;
    throw new ReportError(`${this.#at(name)} is none of ${texts.join(", ")}`);
  }

  object<T>(name: string, read: Reader<T>): T {
    return this.#read(name, read);
  }

  orNull<T>(name: string, read: Reader<T>): T | null {
    return this.#fields.get(name) === null ? null : this.#read(name, read);
  }

  list<T>(name: string, read: Reader<T>): readonly T[] {
    return this.#read(name, (value, place) => {
      if (!Array.isArray(value)) throw new ReportError(`${place} is no list`);
      return value.map((one, k) => read(one, `${place}[${k}]`));
    });
  }

  counts(name: string): Counts {
    return this.#read(name, (value, place) => {
      const counts = new Fields(value, place);
      // Without a prototype: a counter may be called anything.
      const result: Record<string, number> = Object.create(null);
      for (const key of counts.#fields.keys()) {
        result[key] = counts.number(key);
      }
      return result;
    });
  }

  #read<T>(name: string, read: Reader<T>): T {
    return read(this.#fields.get(name), this.#at(name));
  }

  #at(name: string): string {
    return this.#place === "" ? name : `${this.#place}.${name}`;
  }
}
