// The program `anytun`.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { anytunTable, readAnytunCommandLine } from "../config/anytun.ts";
import { runAnytun } from "../daemon/anytun.ts";
import { anytunLimits } from "../daemon/start_limits.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { startDaemon } from "./start_daemon.ts";

export function anytun(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  hideSecrets(libc, anytunTable, argv);
  return startDaemon(
    {
      name: "anytun",
      read: (argv, files, inForce) =>
        readAnytunCommandLine(argv, Deno.version, files, inForce),
      limits: anytunLimits,
      run: runAnytun,
    },
    argv,
    libc,
  );
}
