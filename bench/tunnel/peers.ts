/**
 * Where the programs of others are.
 *
 * @module
 */

import { isFile, missingCommand } from "../../lab/missing.ts";
import { run } from "../../lab/process.ts";
import { firstLine, type Presence } from "./subject.ts";

/** Folders of an unpacked root that hold programs. */
const PROGRAM_FOLDERS = ["usr/bin", "usr/sbin", "usr/local/bin"];

/** A file with a line `<program> <version>` for each package unpacked. */
const VERSIONS = "versions";

/**
 * Programs as they lie in a folder that packages were unpacked into
 * (bench/fetch_peers.sh); those that are not there are taken from the PATH.
 */
export class PeerPrograms {
  readonly #folder: string | undefined;
  readonly #loader: readonly string[];
  readonly #versions: ReadonlyMap<string, string>;

  /**
   * @param folder the unpacked root; undefined for what is installed
   * @throws {Error} if there is no such folder
   */
  constructor(folder?: string) {
    this.#folder = folder === undefined ? undefined : folderAt(folder);
    this.#loader = this.#folder === undefined ? [] : loaderIn(this.#folder);
    this.#versions = new Map(versionsIn(this.#folder));
  }

  /** The command that runs a program, before its arguments. */
  command(program: string): readonly string[] {
    const path = this.#unpacked(program);
    return path === undefined ? [program] : [...this.#loader, path];
  }

  /**
   * Looks for all of the programs.
   *
   * @param versionOption what makes the first of them print its version
   */
  async presence(
    programs: readonly string[],
    versionOption: string,
  ): Promise<Presence> {
    for (const program of programs) {
      if (this.#unpacked(program) !== undefined) continue;
      const missing = missingCommand(program);
      if (missing !== null) return { missing };
    }
    const [program = ""] = programs;
    const packaged = this.#unpacked(program) && this.#versions.get(program);
    if (packaged !== undefined) return { version: packaged };
    const text = await run([...this.command(program), versionOption]);
    return { version: versionIn(text) };
  }

  #unpacked(program: string): string | undefined {
    if (this.#folder === undefined) return undefined;
    return PROGRAM_FOLDERS.map((bin) => `${this.#folder}/${bin}/${program}`)
      .find(isFile);
  }
}

/** The version number in what a program prints about itself. */
export function versionIn(text: string): string {
  const line = firstLine(text);
  return /\bv?(\d+(?:\.\d+)+[^\s,)]*)/.exec(line)?.[1] ?? line;
}

function folderAt(path: string): string {
  try {
    const real = Deno.realPathSync(path);
    if (Deno.statSync(real).isDirectory) return real;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new Error(
    `Cannot use --peers: current value is ${path}, expected a folder that bench/fetch_peers.sh has filled`,
  );
}

/**
 * What runs unpacked programs with the libraries that came with them, which
 * may be newer than the system's; nothing where there are none.
 */
function loaderIn(folder: string): string[] {
  for (const { name } of readFolder(`${folder}/usr/lib`)) {
    const libraries = `${folder}/usr/lib/${name}`;
    const loader = readFolder(libraries)
      .find(({ name }) => /^ld-linux.*\.so\.\d+$/.test(name));
    if (loader === undefined) continue;
    return [`${libraries}/${loader.name}`, "--library-path", libraries];
  }
  return [];
}

function readFolder(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch {
    return []; // not a folder, or not there
  }
}

function versionsIn(folder: string | undefined): [string, string][] {
  const path = `${folder}/${VERSIONS}`;
  if (folder === undefined || !isFile(path)) return [];
  return Deno.readTextFileSync(path).trim().split("\n").map((line) => {
    const [program = "", version = ""] = line.split(" ");
    return [program, version];
  });
}
