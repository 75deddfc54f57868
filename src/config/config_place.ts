// Place of the config file of a tunnel: `--config`.
import type { ReadConfigText } from "./config_file.ts";
import { MissingFile } from "./fault.ts";
import { anyText, type Option, optional, type OptionTable } from "./option.ts";

/** Debian's is one option a line, without its dashes (CLI section 9). */
export type ConfigFormat = "yaml" | "lines";

/** Of the programs that have a config file. */
export const configFileRows = {
  config: optional({
    group: "General",
    long: "--config",
    argument: "file",
    parse: anyText,
    help: "read options from this file as well; arguments override it. It is " +
      "YAML, with the long names without dashes as keys; a bare name stands " +
      "for /etc/anytun/<name>.yaml, or else Debian's /etc/anytun/<name>/config",
  }),
};

/** Rows of what a config file can say; the others are for arguments alone. */
export function fileOptions(
  table: OptionTable,
): readonly (readonly [key: string, option: Option])[] {
  return Object.entries(table).filter(([key, { kind }]) =>
    kind !== "help" && kind !== "version" && !(key in configFileRows)
  );
}

/** A `program` is a file that somebody may run. */
export type PathKind = "file" | "folder" | "none" | "program" | "unseen";

/** Where files of this host with options lie. */
export interface ConfigFiles {
  /** From the folder that the program was started in. */
  absolute(path: string): string;
  /** Whether something is there; also if it cannot be seen. */
  exists(path: string): boolean;
  /** What is there; `unseen` where this user cannot tell. */
  kindOf(path: string): PathKind;
  /** Names of what is in a folder. @throws if it cannot be read */
  namesIn(path: string): readonly string[];
  /** @throws if it cannot be read, is no regular file, or huge */
  readConfig(path: string): ConfigBytes;
  /**
   * Understands one. It comes with the files, as whoever has no config file
   * should not have to load a parser of YAML.
   */
  readonly readText: ReadConfigText;
  /** Of the system, whom a daemon may become. */
  hasUser(name: string): boolean;
  hasGroup(name: string): boolean;
}

export interface ConfigBytes {
  /** Overwritten once they have been understood. */
  readonly bytes: Uint8Array;
  /**
   * Whether anybody can read it but root, the own user, the own group, and whom
   * the program is to become.
   */
  isPublic(daemon: DaemonUser): boolean;
  /** Who besides root and the reader can write to it. */
  readonly writers: readonly ("all" | "group" | "owner")[];
}

/** By name; undefined for those of now. */
export interface DaemonUser {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
}

export interface ConfigPlace {
  readonly path: string;
  readonly format: ConfigFormat;
  /** See {@linkcode ConfigSource.name}. */
  readonly name: string;
  /** What Debian's launcher takes from beside a file, if there is one. */
  readonly folder: string | undefined;
}

export const CONFIG_FOLDER = "/etc/anytun";
const DEFAULT_NAME = "anytun";

/** What a Debian tunnel's file is called, in a folder of the tunnel's name. */
const LINES_NAME = "config";
/** The folder of files of its clients, beside that. */
export const CLIENTS_FOLDER = "conf.d";
export const POST_UP_SCRIPT = "post-up.sh";

const YAML_NAME = /^(.+)\.ya?ml$/;
const BARE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]*$/;

/**
 * @param given What `--config` says: a bare name, or the path of a file
 * @throws {OptionFault} if there is nothing of this name
 */
export function findConfig(given: string, files: ConfigFiles): ConfigPlace {
  if (!BARE_NAME.test(given) || YAML_NAME.test(given)) {
    return placeOf(files.absolute(given));
  }
  const [yaml, lines] = pathsOf(given);
  const path = [yaml, lines].find((path) => files.exists(path));
  if (path !== undefined) return placeOf(path);
  throw new MissingFile(
    `Cannot find the config '${given}' (--config): there is neither ` +
      `${yaml} nor ${lines}; a file elsewhere needs a slash, such as ` +
      `./${given}`,
  );
}

/** What a bare name stands for, the first one that there is. */
export function pathsOf(
  name: string,
): readonly [yaml: string, lines: string] {
  const path = `${CONFIG_FOLDER}/${name}`;
  return [`${path}.yaml`, `${path}/${LINES_NAME}`];
}

/** By its name: `config`, and what is in `conf.d`, has the format of Debian. */
function placeOf(path: string): ConfigPlace {
  const parts = path.split("/");
  const [parent = "", own = ""] = parts.slice(-2);
  if (own === LINES_NAME) {
    const folder = parts.slice(0, -1).join("/");
    return { path, format: "lines", name: instanceName(parent), folder };
  }
  const format = parent === CLIENTS_FOLDER ? "lines" : "yaml";
  const name = instanceName(YAML_NAME.exec(own)?.[1] ?? own);
  return { path, format, name, folder: undefined };
}

function instanceName(name: string): string {
  return ["", ".", ".."].includes(name) ? DEFAULT_NAME : name;
}
