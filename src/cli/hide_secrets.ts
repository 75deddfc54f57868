// Secrets among the arguments.
import { readArguments } from "../../ffi/process/file.ts";
import { overwriteArguments } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { secretArguments } from "../config/arguments.ts";
import type { OptionTable } from "../config/option.ts";

/**
 * As in the original, `ps` shows their lengths only (CLI section 1). Copies
 * that the runtime has made of them stay in the memory of the process.
 */
export function hideSecrets(
  libc: ProcessLibc,
  table: OptionTable,
  argv: readonly string[],
): void {
  const own = readArguments(libc);
  const before = own.length - argv.length;
  const indexes = secretArguments(table, argv)
    .filter((index) => own[before + index] === argv[index])
    .map((index) => before + index);
  overwriteArguments(libc, indexes);
}
