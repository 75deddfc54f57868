// Options from the config file of a tunnel, and from what lies beside it.
import { reasonOf } from "../log/reason.ts";
import {
  type ConfigBytes,
  configFileRows,
  type ConfigFiles,
  type ConfigPlace,
  type DaemonUser,
  findConfig,
  POST_UP_SCRIPT,
} from "./config_place.ts";
import { OptionFault, remedyFor, type Warn } from "./fault.ts";
import { isSecret, type OptionTable } from "./option.ts";
import { type GivenValue, type GivenValues, settingsOf } from "./values.ts";

export interface ConfigSource {
  /**
   * Of this instance, for sockets and the like: the name of its config file
   * without folder and extension, or of the folder of a Debian one, else
   * `anytun`. It is a single part of a path: neither empty, `.`, nor `..`.
   */
  readonly name: string;
  /** Absolute path of the file that `--config` stands for, if it is given. */
  readonly configFile: string | undefined;
}

export const NO_CONFIG_FILE: ConfigSource = {
  name: "anytun",
  configFile: undefined,
};

interface FoundOptions<T extends OptionTable> {
  /** The first that gives an option decides, behind the arguments. */
  readonly sources: readonly GivenValues<T>[];
  readonly place: ConfigPlace | undefined;
}

/** The row by which {@linkcode postUpOf} and its like know the script. */
const POST_UP_KEY = "postUpScript";

/**
 * Finds and reads the file that the arguments name, if they name one.
 * @param debianKeys Of the file of a Debian tunnel, which its programs share,
 * those that are meant for this one; undefined for all
 * @throws {OptionFault} what is at fault; it never shows a secret
 */
export function optionsOfFile<T extends OptionTable>(
  table: T,
  given: GivenValues<T>,
  debianKeys: readonly string[] | undefined,
  files: ConfigFiles,
  warn: Warn,
): FoundOptions<T> {
  const { config } = settingsOf(configFileRows, [
    // A table that has no such row has no such values either.
    given as GivenValues<typeof configFileRows>,
  ]).values;
  if (config === undefined) return { sources: [], place: undefined };
  const place = findConfig(config, files);
  const { path, format, folder } = place;
  const content = contentOf(path, files);
  try {
    const isMeant = folder === undefined || debianKeys === undefined
      ? undefined
      : (key: string) => debianKeys.includes(key);
    const text = { path, format, bytes: content.bytes };
    const values = files.readText(table, text, isMeant);
    const all = [given, values];
    const hasSecret = holdsSecret(table, values);
    const file = { path, format, ...content, hasSecret };
    checkReaders(file, warn, daemonOf(all));
    return { sources: [values, ...besides(table, folder, files)], place };
  } finally {
    content.bytes.fill(0);
  }
}

/** @throws {OptionFault} if it cannot be read */
export function contentOf(path: string, files: ConfigFiles): ConfigBytes {
  try {
    return files.readConfig(path);
  } catch (error) {
    const reason = reasonOf(error) +
      remedyFor(error, "chgrp anytun and chmod 640");
    throw new OptionFault(`Cannot use '${path}' (--config): ${reason}`, error);
  }
}

/** Whom a daemon is to become, who may read its file as well. */
function daemonOf(
  sources: readonly GivenValues<OptionTable>[],
): DaemonUser {
  const last = (key: string) => {
    const given = sources.find((source) => key in source)?.[key];
    const value = given?.at(-1)?.value;
    return typeof value === "string" ? value : undefined;
  };
  return { user: last("username"), group: last("groupname") };
}

interface CheckedFile
  extends
    Pick<ConfigPlace, "path" | "format">,
    Pick<ConfigBytes, "writers" | "isPublic"> {
  readonly hasSecret: boolean;
}

const WRITERS = {
  all: (path: string) => `all users can change '${path}': use chmod go-w`,
  group: (path: string) =>
    `the group of '${path}' is not root's, and can change it: use chmod g-w`,
  owner: (path: string) =>
    `the owner of '${path}' is not root, and can change it: use chown root`,
} as const;

/**
 * Whoever can write the file has the daemon do what they like. Debian's files
 * with passphrases are for everybody to read unless somebody has changed that,
 * and have to work.
 * @throws {OptionFault} if others can read the secrets that are in it
 */
export function checkReaders(
  { path, format, writers, isPublic, hasSecret }: CheckedFile,
  warn: Warn,
  daemon: DaemonUser = {},
): void {
  for (const who of writers) warn(WRITERS[who](path));
  if (!hasSecret || !isPublic(daemon)) return;
  const how =
    `use chmod 640 '${path}', and have it belong to root and to the ` +
    "group of the user that the daemon runs as, such as anytun; or put each " +
    "secret into a file of its own, such as key-file";
  if (format === "lines") {
    warn(`others can read the secrets in '${path}': ${how}`);
    return;
  }
  throw new OptionFault(
    `Cannot use the secrets in '${path}': others can read them; ${how}`,
  );
}

/** Whether a file gives a secret, and not only the place of one. */
export function holdsSecret<T extends OptionTable>(
  table: T,
  given: GivenValues<T>,
): boolean {
  return Object.entries(table)
    .some(([name, option]) => name in given && isSecret(option));
}

/** What Debian's launcher adds: `post-up.sh`, unless the file names another. */
function besides<T extends OptionTable>(
  table: T,
  folder: string | undefined,
  files: ConfigFiles,
): readonly GivenValues<T>[] {
  if (folder === undefined || !(POST_UP_KEY in table)) return [];
  const path = `${folder}/${POST_UP_SCRIPT}`;
  if (!files.exists(path)) return [];
  const given: readonly GivenValue<unknown>[] = [
    { value: path, text: path, origin: { kind: "file", path } },
  ];
  const values = Object.fromEntries([[POST_UP_KEY, given]]);
  // The value has the type of its row; Object.fromEntries() forgets that.
  return [values as GivenValues<T>];
}
