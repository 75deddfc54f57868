// Files of this host that hold secrets and certificates.
import { readFile } from "../../ffi/process/file.ts";
import { readKeptFile } from "../../ffi/process/kept_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  readSecretFile,
  readSecretInput,
} from "../../ffi/process/secret_file.ts";
import type { SecretFiles } from "../config/secret_files.ts";
import { CHAIN_FILE_LIMIT } from "../satp/key_chain_file.ts";

export function secretFiles(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
): SecretFiles {
  return {
    readFile: (path) => readSecretFile(libc, path),
    readStandardInput: () => readSecretInput(libc),
    readKeyChain: (path) => readKeptFile(libc, path, CHAIN_FILE_LIMIT),
    readCertificates: (path) => readFile(libc, path),
    credentialsFolder: environment.get("CREDENTIALS_DIRECTORY"),
  };
}
