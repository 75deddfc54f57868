/**
 * Where log lines go, as configured (CLI section 6).
 *
 * @module
 */
import type { LogLevel } from "./level.ts";

/** One `--log` target with the most detailed level that it takes. */
export type LogTarget =
  | { readonly kind: "stdout"; readonly level: LogLevel }
  | { readonly kind: "stderr"; readonly level: LogLevel }
  | {
    readonly kind: "file";
    readonly level: LogLevel;
    /** As given; relative to the working directory at the start. */
    readonly path: string;
  };
