/**
 * The secrets that lie in files of this host.
 *
 * @module
 */
import type { ProcessLibc } from "../../ffi/process_libc.ts";
import { readSecretFile, readSecretInput } from "../../ffi/secret_file.ts";
import type { SecretFiles } from "../config/secret_files.ts";

/** {@link SecretFiles} by way of the C library. */
export function secretFiles(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
): SecretFiles {
  return {
    readFile: (path) => readSecretFile(libc, path),
    readStandardInput: () => readSecretInput(libc),
    credentialsFolder: environment.get("CREDENTIALS_DIRECTORY"),
  };
}
