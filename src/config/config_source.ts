// Where the options of a program come from besides its arguments.

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
