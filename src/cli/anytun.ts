// The program `anytun`.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { anytunTable, readAnytunCommandLine } from "../config/anytun.ts";
import { runAnytun } from "../daemon/anytun.ts";
import { anytunLimits } from "../daemon/start_limits.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { secretFiles } from "./secret_files.ts";
import { startDaemon } from "./start_daemon.ts";

export function anytun(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  return startDaemon({
    name: "anytun",
    read(environment) {
      hideSecrets(libc, anytunTable, argv);
      const files = secretFiles(libc, environment);
      return readAnytunCommandLine(argv, Deno.version, files);
    },
    limits: anytunLimits,
    run: runAnytun,
  }, libc);
}
