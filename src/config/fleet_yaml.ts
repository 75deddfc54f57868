// Config of a fleet's client for its own side, ready to be used as YAML.
import { formatPrefix } from "../net/prefix.ts";
import type { Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { AddOptions } from "./fleet.ts";
import { keyLines } from "./fleet_record.ts";
import { TUNNEL_PORT } from "./network.ts";

/** What a record calls the end of its servers, and the end that is left. */
const OTHER_END: Readonly<Record<Role, string>> = {
  left: "client",
  right: "server",
};

/** @param secrets Those that were made; undefined where there are none */
export function clientYaml(
  options: AddOptions,
  mux: number,
  secrets: MasterSecrets | undefined,
): string {
  const { name, server, address, role, windowSize, kdPrf } = options;
  return text([
    `# ${name}, a client of this fleet: /etc/anytun/<name>.yaml at its side`,
    server === undefined
      ? "# remote-host: the address or name of its servers"
      : `remote-host: ${quoted(server.host)}`,
    server !== undefined && server.port !== TUNNEL_PORT &&
    `remote-port: ${server.port}`,
    `role: ${OTHER_END[role]}`,
    `mux: ${mux}`,
    address === undefined
      ? "# ifconfig: its address in the tunnel, such as 10.99.0.5/24"
      : `ifconfig: ${quoted(formatPrefix(address))}`,
    windowSize > 0 && `window-size: ${windowSize}`,
    kdPrf !== "aes-ctr-128" && `kd-prf: ${quoted(kdPrf)}`,
    ...keysOf(options, secrets),
  ]);
}

/** What takes the place of the keys in the config of a client. */
export function newKeysYaml(
  options: Pick<AddOptions, "name" | "keys">,
  secrets: MasterSecrets | undefined,
): string {
  return text([
    `# ${options.name}: in its config, in place of the keys before`,
    ...keysOf(options, secrets),
  ]);
}

function keysOf(
  { name, keys }: Pick<AddOptions, "name" | "keys">,
  secrets: MasterSecrets | undefined,
): readonly string[] {
  switch (keys.kind) {
    case "made":
      return keyLines(secrets).map(([key, value]) => `${key}: "${value}"`);
    case "chain":
      return [
        "# The chain file, in a folder of its own where the daemon may write:",
        `key-chain: /var/lib/anytun/${name}/chain`,
      ];
    case "given": {
      const files = Object.entries(keys.files);
      if (files.length === 0) return ["# and the keys that you gave"];
      return files.map(([key, path]) => `${key}: ${quoted(path ?? "")}`);
    }
  }
}

function text(lines: readonly (string | false)[]): string {
  return lines.filter((line) => line !== false)
    .map((line) => `${line}\n`).join("");
}

/** Quotes what YAML could take for something else. */
function quoted(value: string): string {
  const isPlain = /^[A-Za-z/][A-Za-z0-9._/-]*$/.test(value) ||
    /^\d+(?:\.\d+){3}(?:\/\d+)?$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}
