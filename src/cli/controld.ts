// The program `anytun-controld`.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { readControldCommandLine } from "../config/controld.ts";
import { runControld } from "../daemon/controld.ts";
import { controldLimits } from "../daemon/start_limits.ts";
import { startDaemon } from "./start_daemon.ts";

export function controld(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  return startDaemon(
    {
      name: "anytun-controld",
      read: (argv, files, inForce) =>
        readControldCommandLine(argv, Deno.version, files, inForce),
      limits: controldLimits,
      run: runControld,
    },
    argv,
    libc,
  );
}
