// Targets of log lines, as configured (CLI section 6).
import type { LogLevel } from "./level.ts";
import type { SyslogFacility } from "./syslog_line.ts";

export type StreamName = "stdout" | "stderr";

/** One `--log` target with the most detailed level that it takes. */
export type LogTarget =
  | { readonly kind: StreamName; readonly level: LogLevel }
  | {
    readonly kind: "file";
    readonly level: LogLevel;
    /** As given; relative to the working directory at the start. */
    readonly path: string;
  }
  | {
    readonly kind: "syslog";
    readonly level: LogLevel;
    /** What lines are filed under; without one, the name of the program. */
    readonly ident: string | undefined;
    readonly facility: SyslogFacility;
    /** Nobody asked for it: where there is no syslog, stderr will do. */
    readonly isDefault?: true;
  };

/** Except for syslog. */
export type LogFormat = "text" | "json";
