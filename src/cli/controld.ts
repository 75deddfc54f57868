// The program `anytun-controld`.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { readControldCommandLine } from "../config/controld.ts";
import { runControld } from "../daemon/controld.ts";
import { controldLimits } from "../daemon/start_limits.ts";
import { secretFiles } from "./secret_files.ts";
import { startDaemon } from "./start_daemon.ts";

export function controld(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  return startDaemon({
    name: "anytun-controld",
    read: (environment) =>
      readControldCommandLine(
        argv,
        Deno.version,
        secretFiles(libc, environment),
      ),
    limits: controldLimits,
    run: runControld,
  }, libc);
}
