// Reading of options from their sources, the first time and again.
import { reasonOf } from "../log/reason.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { isSecret, type OptionTable } from "./option.ts";
import { isSame } from "./same.ts";
import type { Settings } from "./values.ts";

/** By the keys of an option table, without secrets. */
type OptionRecord = Readonly<Record<string, unknown>>;

export interface Reading<O> {
  readonly options: O;
  /** What an operator should know of them; to be logged as warnings. */
  readonly warnings: readonly string[];
  /** The values that the options are made of. */
  readonly values: OptionRecord;
  /** What differs from what was in force, as messages call the options. */
  readonly changed: Changes;
}

interface Changes {
  /** Part of the options. */
  readonly live: readonly string[];
  /** In the sources alone: the options have what was in force. */
  readonly waiting: readonly string[];
}

/** What a program runs with while its sources are read again. */
export interface InForce {
  readonly values: OptionRecord;
  /** Whether an option, by its key, may change while the program runs. */
  isLive(key: string): boolean;
}

/**
 * Makes options of values.
 *
 * @param inForce Without it everything takes effect
 * @throws as `settle`
 */
export function readingOf<T extends OptionTable, O>(
  table: T,
  settings: Settings<T>,
  settle: (settings: Settings<T>, warn: Warn) => O,
  inForce?: InForce,
): Reading<O> {
  const warnings: string[] = [];
  const options = settle(settings, (text) => warnings.push(text));
  const values = withoutSecrets(table, settings.values);
  const changed = Object.keys(values).filter((key) =>
    inForce !== undefined && !isSame(values[key], inForce.values[key])
  );
  const waiting = changed.filter((key) => !inForce?.isLive(key));
  const names: Readonly<Record<string, string>> = settings.names;
  const namesOf = (keys: readonly string[]) =>
    keys.map((key) => names[key] ?? key);
  const changes: Changes = {
    live: namesOf(changed.filter((key) => inForce?.isLive(key))),
    waiting: namesOf(waiting),
  };
  if (inForce === undefined || waiting.length === 0) {
    return { options, warnings, values, changed: changes };
  }
  const old = Object.fromEntries(
    waiting.map((key) => [key, inForce.values[key]]),
  );
  const kept = { ...settings, values: { ...settings.values, ...old } };
  return {
    options: settleWithout(namesOf(waiting), () => settle(kept, () => {})),
    warnings,
    values: { ...values, ...old },
    changed: changes,
  };
}

/** What it warns of was said at the start, or now. */
function settleWithout<O>(waiting: readonly string[], settle: () => O): O {
  try {
    return settle();
  } catch (error) {
    throw new OptionFault(
      `${reasonOf(error)}, as long as ${waiting.join(", ")} ` +
        `${waiting.length === 1 ? "has" : "have"} not changed, which takes ` +
        "effect at the next start",
      error,
    );
  }
}

function withoutSecrets(
  table: OptionTable,
  values: OptionRecord,
): OptionRecord {
  return Object.fromEntries(
    Object.entries(values).filter(([key]) => !isSecret(table[key])),
  );
}
