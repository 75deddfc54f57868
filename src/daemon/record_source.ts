// The seam between where a control daemon has its records from and those that it
// serves: a file, the clients of a Debian tunnel, a store.
import type { ControldOptions } from "../config/controld.ts";
import type { Service } from "./lifecycle.ts";

/** Once it is started it knows all that there is, unless it says otherwise. */
export interface RecordSource extends Service<ControldOptions> {
  /** Everything known now, as records for the stream. */
  snapshot(): readonly string[];
  /** Whether that was true once, and members may know better. */
  readonly isStale?: boolean;
  /** Resolves when it knows something; nobody is told anything before. */
  readonly known?: Promise<void>;
}

/** Whom a source tells of each change, in order, with records for the stream. */
export interface RecordSink {
  /** It is new, or in place of another one. */
  push(record: string): void;
  /** It is gone. */
  remove(record: string): void;
}
