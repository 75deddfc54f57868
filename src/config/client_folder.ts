// The clients of a Debian tunnel: a file for each of them in `conf.d`, with the
// options that anytun-config has (CLI section 9).
import { clientOf, type ClientOptions, clientRows } from "./client_options.ts";
import type { Surroundings } from "./host_files.ts";
import { CLIENTS_FOLDER, type ConfigPlace } from "./config_place.ts";
import { checkReaders, contentOf, holdsSecret } from "./config_source.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { type GivenValues, settingsOf } from "./values.ts";
import { reasonOf } from "../log/reason.ts";
import { formatNetwork } from "../net/prefix.ts";

/** What editors and dpkg leave beside a file is no client. */
const LEFT_OVER = /^\.|~$|\.(?:dpkg-\w+|sw[a-z]|bak|orig)$/;

/** What the clients have from their server. */
const sharedRows = { kdPrf: clientRows.kdPrf };
type Shared = GivenValues<typeof sharedRows>;

export interface ClientsOfFolder {
  readonly folder: string;
  /** In the order of the names of their files. */
  readonly clients: readonly ClientOptions[];
}

/**
 * Reads the files of all clients. As with the launcher of Debian, they have the
 * key derivation of their server, whatever they say themselves.
 * @param given What arguments say instead
 * @returns undefined if the tunnel has no folder of clients
 * @throws {OptionFault} what is at fault in any of them
 */
export function clientsOf(
  place: ConfigPlace | undefined,
  given: Shared,
  surroundings: Surroundings,
): ClientsOfFolder | undefined {
  if (place?.folder === undefined) return undefined;
  const folder = `${place.folder}/${CLIENTS_FOLDER}`;
  if (!surroundings.files.exists(folder)) return undefined;
  const server = { ...sharedIn(place, surroundings), ...given };
  const owners = new Map<number, string>();
  const routes = new RouteOwners(surroundings.warn);
  const clients = namesIn(folder, surroundings).map((name) => {
    const path = `${folder}/${name}`;
    const client = clientIn(path, server, surroundings);
    const other = owners.get(client.mux);
    if (other !== undefined) {
      surroundings.warn(
        `mux ${client.mux} is that of '${other}' and of '${path}': ` +
          "the records of the latter come last, and stand",
      );
    }
    owners.set(client.mux, path);
    routes.take(client, path);
    return client;
  });
  if (clients.length === 0) surroundings.warn(`'${folder}' has no clients`);
  return { folder, clients };
}

/** Whose each network is, to warn of those that two have. */
class RouteOwners {
  readonly #owners = new Map<string, string>();
  readonly #warn: Warn;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  take({ routes }: ClientOptions, path: string): void {
    for (const text of new Set(routes.map(formatNetwork))) {
      const other = this.#owners.get(text);
      if (other !== undefined) {
        this.#warn(
          `route ${text} is that of '${other}' and of '${path}': it leads to ` +
            "one of them alone",
        );
      }
      this.#owners.set(text, path);
    }
  }
}

function namesIn(folder: string, { files }: Surroundings): readonly string[] {
  try {
    return files.namesIn(folder).filter((name) => !LEFT_OVER.test(name))
      .toSorted();
  } catch (error) {
    const text = `Cannot use the clients in '${folder}': ${reasonOf(error)}`;
    throw new OptionFault(text, error);
  }
}

function sharedIn(
  { path, format }: ConfigPlace,
  { files }: Surroundings,
): Shared {
  const { bytes } = contentOf(path, files);
  try {
    const text = { path, format, bytes };
    return files.readText(sharedRows, text, (key) => key === "kd-prf");
  } finally {
    bytes.fill(0);
  }
}

function clientIn(
  path: string,
  server: Shared,
  surroundings: Surroundings,
): ClientOptions {
  const { files, warn } = surroundings;
  const content = contentOf(path, files);
  try {
    const text = { path, format: "lines", bytes: content.bytes } as const;
    const given = files.readText(clientRows, text);
    const hasSecret = holdsSecret(clientRows, given);
    checkReaders({ path, format: "lines", ...content, hasSecret }, warn);
    return clientOf(settingsOf(clientRows, [server, given]), surroundings);
  } finally {
    content.bytes.fill(0);
  }
}
