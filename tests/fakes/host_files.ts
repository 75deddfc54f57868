import { readConfigText } from "../../src/config/config_file.ts";
import type { ConfigBytes, PathKind } from "../../src/config/config_place.ts";
import type { HostFiles } from "../../src/config/host_files.ts";

/** A file of a test. */
export interface FakeFile {
  readonly text: string;
  readonly isPublic?: boolean;
  /** Whether root alone could change that. */
  readonly isRoots?: boolean;
  /** Whether only a start reads it. */
  readonly isOnce?: boolean;
  /** What it is, if it is no mere file. */
  readonly kind?: PathKind;
  /** Who besides root and the reader can write to it. */
  readonly writers?: ConfigBytes["writers"];
}

/** The only name that neither a user nor a group has. */
export const STRANGER = "stranger";

/** Files that hold what a test wants; the empty path is standard input. */
export function fakeHostFiles(
  files: Readonly<Record<string, FakeFile>> = {},
  credentialsFolder?: string,
  httpProxy?: string,
): HostFiles & { readonly handedOut: Uint8Array[] } {
  const handedOut: Uint8Array[] = [];
  const read = (path: string) => {
    const file = files[path];
    if (file === undefined) {
      throw Object.assign(new Error(`Cannot open '${path}': ENOENT`), {
        code: "ENOENT",
      });
    }
    const bytes = new TextEncoder().encode(file.text);
    handedOut.push(bytes);
    return { bytes, isPublic: file.isPublic ?? false };
  };
  return {
    handedOut,
    credentialsFolder,
    httpProxy,
    absolute: (path) =>
      path.startsWith("/") ? path : `/home/${path.replace(/^\.\//, "")}`,
    exists: (path) => path in files,
    kindOf: (path) => files[path]?.kind ?? (path in files ? "file" : "none"),
    namesIn: (folder) =>
      Object.keys(files).filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    readConfig: (path) => ({
      bytes: read(path).bytes,
      isPublic: () => files[path]?.isPublic ?? false,
      writers: files[path]?.writers ?? [],
    }),
    readText: readConfigText,
    hasUser: (name) => name !== STRANGER,
    hasGroup: (name) => name !== STRANGER,
    readFile: (path) => files[path]?.isOnce ? undefined : read(path),
    readStandardInput: () => files[""]?.isOnce ? undefined : read(""),
    readKeyChain: (path) => ({
      ...read(path),
      isRoots: files[path]?.isRoots ?? false,
    }),
    readCertificates: (path) => read(path).bytes,
  };
}
