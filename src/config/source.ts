// Options about the store that holds the records of a fleet
// (docs/fleet.md).
import { parseDecimal, U16_MAX } from "../net/decimal.ts";
import { isOnThisHost } from "../net/place.ts";
import { OptionFault } from "./fault.ts";
import type { Surroundings } from "./host_files.ts";
import { anyText, BadValue, MASK, optional } from "./option.ts";
import { given, readCertificates, readPrivateKey, unusable } from "./pem.ts";
import { passphrase, readSecret } from "./secrets.ts";
import type { Settings } from "./values.ts";

const group = "Cluster";

/** Of etcd. */
const DEFAULT_PORT = 2379;

/** Where records are unless the URL says so. */
const DEFAULT_PREFIX = "/anytun";

export const sourceRows = {
  source: optional({
    group,
    long: "--source",
    argument: "url",
    parse: sourceUrl,
    help: "take the clients from etcd: https://<host>:<port>/<prefix>, or " +
      "several hosts of one cluster with commas between them (default port " +
      `${DEFAULT_PORT}, default prefix ${DEFAULT_PREFIX})`,
  }),
  sourceCa: optional({
    group,
    long: "--source-ca",
    argument: "file",
    parse: anyText,
    help: "the authority that has signed the certificate of the store, as PEM",
  }),
  sourceCert: optional({
    group,
    long: "--source-cert",
    argument: "file",
    parse: anyText,
    help: "the certificate to show to the store, as PEM",
  }),
  sourceKey: optional({
    group,
    long: "--source-key",
    argument: "file",
    parse: anyText,
    help: "the private key of that certificate",
  }),
  sourceUser: optional({
    group,
    long: "--source-user",
    argument: "name",
    parse: anyText,
    help: "who to be to the store, which has roles for its users",
  }),
  sourcePasswordFile: optional({
    group,
    long: "--source-password-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the password of --source-user from this file, or from " +
      "standard input if it is -",
  }),
};

interface SourceUrl {
  /** Of the members of one cluster, such as `https://192.0.2.7:2379`. */
  readonly origins: readonly string[];
  /** Begins with a slash, and ends without one. */
  readonly prefix: string;
  /** What is written down and shown. */
  readonly text: string;
}

export interface SourceOptions extends SourceUrl {
  readonly login: Login | undefined;
  readonly tls: SourceTls | undefined;
}

interface Login {
  readonly name: string;
  /** Empty where a start alone can read it. */
  readonly password: string;
}

/** All as PEM. */
interface SourceTls {
  /** Beside those that the runtime trusts. */
  readonly authority: string | undefined;
  readonly identity:
    | { readonly certificate: string; readonly key: string }
    | undefined;
}

/**
 * @param after Of the same files, read again
 * @returns The options whose files say something else by now
 */
export function changedFiles(
  before: SourceOptions,
  after: SourceOptions | undefined,
): readonly string[] {
  const filesOf = ({ login, tls }: Partial<SourceOptions>) => ({
    sourceCa: tls?.authority,
    sourceCert: tls?.identity?.certificate,
    sourceKey: tls?.identity?.key,
    sourcePasswordFile: login?.password,
  });
  const now = filesOf(after ?? {});
  return Object.entries(filesOf(before)).flatMap(([key, text]) => {
    const name = key as keyof typeof now;
    // What a start alone can read is empty later.
    const isSame = now[name] === text || !now[name];
    return isSame ? [] : [sourceRows[name].long];
  });
}

type SourceSettings = Settings<typeof sourceRows>;

/**
 * Reads certificates and password.
 * @returns undefined if there is no store
 * @throws {OptionFault}
 */
export function sourceOf(
  settings: SourceSettings,
  surroundings: Surroundings,
): SourceOptions | undefined {
  const { values: { source }, names } = settings;
  if (source === undefined) {
    requireAlone(settings);
    return undefined;
  }
  const tls = tlsOf(settings, surroundings);
  const login = loginOf(settings, surroundings);
  const { files: { httpProxy } } = surroundings;
  if (httpProxy !== undefined && source.origins.some(isClear)) {
    throw new OptionFault(
      `Cannot use ${names.source} ${source.text}: ${httpProxy} of the ` +
        "environment leads it to a proxy, which would hear the password and " +
        "all keys; use https, or unset it",
    );
  }
  if (source.origins.some(isReadable)) {
    surroundings.warn(
      `${names.source} ${source.text} is not encrypted: whoever can listen ` +
        "reads all keys, use https",
    );
  }
  return { ...source, tls, login };
}

const BESIDE_SOURCE = [
  "sourceCa",
  "sourceCert",
  "sourceKey",
  "sourceUser",
  "sourcePasswordFile",
] as const;

function requireAlone({ values, names }: SourceSettings): void {
  const one = BESIDE_SOURCE.find((key) => values[key] !== undefined);
  if (one === undefined) return;
  throw new OptionFault(`Cannot use ${names[one]} alone: add --source`);
}

function tlsOf(
  { values, names }: SourceSettings,
  { files, warn }: Surroundings,
): SourceTls | undefined {
  const ca = given(names.sourceCa, values.sourceCa);
  const cert = given(names.sourceCert, values.sourceCert);
  const key = given(names.sourceKey, values.sourceKey);
  const one = ca ?? cert ?? key;
  if (one === undefined) return undefined;
  const clear = values.source?.origins.find(isClear);
  if (clear !== undefined) {
    throw unusable(one, `${clear} of ${names.source} has no TLS, use https`);
  }
  const authority = ca && readCertificates(ca, files).text;
  if (cert === undefined && key === undefined) {
    return { authority, identity: undefined };
  }
  if (cert === undefined) throw unusable(key ?? one, "add --source-cert");
  if (key === undefined) throw unusable(cert, "add --source-key");
  const own = readCertificates(cert, files);
  return {
    authority,
    identity: {
      certificate: own.text,
      key: readPrivateKey(key, { cert, own }, files, warn),
    },
  };
}

function loginOf(
  { values, names }: SourceSettings,
  surroundings: Surroundings,
): Login | undefined {
  const { sourceUser: name, sourcePasswordFile: path } = values;
  if (name === undefined && path === undefined) return undefined;
  if (name === undefined) {
    throw new OptionFault(
      `Cannot use ${names.sourcePasswordFile} alone: add --source-user`,
    );
  }
  if (path === undefined) {
    throw new OptionFault(
      `Cannot use ${names.sourceUser} '${name}' alone: add ` +
        "--source-password-file",
    );
  }
  const { value: password = "" } = readSecret(
    { name: "password", parse: passphrase },
    path,
    names.sourcePasswordFile,
    surroundings,
  );
  return { name, password };
}

function isClear(origin: string): boolean {
  return origin.startsWith("http:");
}

/** Whether others can read what goes there and comes from there. */
function isReadable(origin: string): boolean {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  return isClear(origin) && !isOnThisHost({ host, port: Number(port) });
}

function sourceUrl(text: string): SourceUrl {
  if (/^[^/]*\/\/[^/]*@/.test(text)) {
    throw new BadValue(
      "no user in it, as others can read arguments: use --source-user and " +
        "--source-password-file",
      0,
      text.replace(/\/\/[^/]*@/, `//${MASK}@`),
    );
  }
  const [, scheme = "", hosts = "", path = ""] =
    /^(https?):\/\/([^/?#@\s]+)(\/[^?#\s]*)?$/.exec(text) ?? [];
  if (scheme === "") {
    throw new BadValue(
      "https:// (or http:// on one host), one or more of <host>:<port> with " +
        `commas between them, and a prefix, such as https://192.0.2.7:${DEFAULT_PORT}${DEFAULT_PREFIX}`,
    );
  }
  const prefix = path.replace(/\/+$/, "") || DEFAULT_PREFIX;
  if (!/^(?:\/[A-Za-z0-9._-]+)+$/.test(prefix)) {
    throw new BadValue(
      "a prefix of letters, digits, '.', '_' and '-' between slashes, such as " +
        DEFAULT_PREFIX,
    );
  }
  const origins = hosts.split(",").map((host) => originOf(scheme, host));
  return { origins, prefix, text };
}

function originOf(scheme: string, given: string): string {
  const [, host = "", digits] =
    /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d+))?$/.exec(given) ?? [];
  const port = digits === undefined
    ? DEFAULT_PORT
    : parseDecimal(digits, 1, U16_MAX);
  const origin = `${scheme}://${host}:${port}`;
  if (host !== "" && port !== undefined && URL.canParse(origin)) return origin;
  throw new BadValue(
    `a host and, if at all, a port from 1 to ${U16_MAX} between slashes and ` +
      "commas",
    0,
    given,
  );
}
