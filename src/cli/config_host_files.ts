// Files of this host for programs that always know config files; what starts a
// daemon loads their parser only where one is named.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import { readConfigText } from "../config/config_file.ts";
import type { HostFiles } from "../config/host_files.ts";
import { hostFiles, type Purpose } from "./host_files.ts";

export function configHostFiles(
  libc: ProcessLibc,
  purpose: Purpose,
  environment = readEnvironment(libc),
): HostFiles {
  return hostFiles(libc, environment, purpose, undefined, readConfigText);
}
