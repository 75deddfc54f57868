// Certificates for the sync stream.
import type { KeyObject, X509Certificate } from "node:crypto";
import type { TlsIdentity } from "../sync/tls_identity.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { anyText, BadValue, optional } from "./option.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Certificates for the sync stream; the originals have none. */
export const syncTlsRows = {
  syncTlsCert: optional({
    group: "Cluster",
    long: "--sync-tls-cert",
    argument: "file",
    parse: anyText,
    help: "protect synchronisation by TLS: the certificate to show, as PEM; " +
      "all members need one of a common authority, or this very one",
  }),
  syncTlsKey: optional({
    group: "Cluster",
    long: "--sync-tls-key",
    argument: "file",
    parse: anyText,
    help: "the private key of that certificate",
  }),
  syncTlsCa: optional({
    group: "Cluster",
    long: "--sync-tls-ca",
    argument: "file",
    parse: anyText,
    help: "the authority that has signed the certificates of all members",
  }),
};

interface Given {
  readonly option: string;
  readonly path: string;
}

/**
 * Reads certificates and key.
 * @returns undefined if there is to be no TLS
 */
export function syncTlsOf(
  { values, names }: Settings<typeof syncTlsRows>,
  { runtime, files, warn }: Surroundings,
): TlsIdentity | undefined {
  const cert = given(names.syncTlsCert, values.syncTlsCert);
  const key = given(names.syncTlsKey, values.syncTlsKey);
  const ca = given(names.syncTlsCa, values.syncTlsCa);
  const one = cert ?? key ?? ca;
  if (one === undefined) return undefined;
  requireVerification(one, runtime);
  if (cert === undefined) throw unusable(one, "add --sync-tls-cert");
  if (key === undefined) throw unusable(one, "add --sync-tls-key");
  const own = readCertificates(cert, files);
  return {
    certificate: own.text,
    key: readKey(key, { cert, own }, files, warn),
    authority: ca === undefined ? own.text : readCertificates(ca, files).text,
  };
}

function given(option: string, path: string | undefined): Given | undefined {
  return path === undefined ? undefined : { option, path };
}

/**
 * Deno before 2.9 asks no client for its certificate, and believes a server
 * that has one of any authority of the system.
 */
function requireVerification(one: Given, { deno }: Runtime): void {
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  if (major > 2 || major === 2 && minor >= 9) return;
  throw unusable(
    one,
    `it takes Deno 2.9 or newer to make sure who the other side is, ` +
      `this is Deno ${deno}`,
  );
}

function readCertificates(file: Given, files: HostFiles): Certificates {
  return read(file, () => {
    const bytes = files.readCertificates(file.path);
    return certificatesIn(new TextDecoder().decode(bytes));
  });
}

function readKey(
  file: Given,
  { cert, own }: { readonly cert: Given; readonly own: Certificates },
  files: HostFiles,
  warn: Warn,
): string {
  const key = read(file, () => {
    const found = files.readFile(file.path);
    if (found === undefined) return undefined;
    const { bytes, isPublic } = found;
    if (isPublic) {
      warn(
        `others have access to the key from '${file.path}' ` +
          `(${file.option}): use chmod 600`,
      );
    }
    try {
      return privateKeyIn(new TextDecoder().decode(bytes));
    } finally {
      bytes.fill(0);
    }
  });
  if (key === undefined) {
    warn(
      `the key from '${file.path}' (${file.option}) is not looked at: a start ` +
        "reads it, and only once",
    );
    return "";
  }
  if (!own.first.checkPrivateKey(key)) {
    const whose = `the certificate in '${cert.path}' (${cert.option})`;
    throw unusable(file, `it is not the key of ${whose}`);
  }
  return String(key.export({ type: "pkcs8", format: "pem" }));
}

function read<T>(file: Given, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isWrong = error instanceof BadValue;
    const reason = isWrong ? `it must hold ${error.message}` : error.message;
    throw unusable(file, reason, error);
  }
}

function unusable({ option, path }: Given, why: string, cause?: unknown) {
  return new OptionFault(`Cannot use ${option} '${path}': ${why}`, cause);
}

/** Certificates as they stood in a file, the first one understood. */
interface Certificates {
  /** All of them, and nothing else. */
  readonly text: string;
  readonly first: X509Certificate;
}

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(text: string): Certificates {
  const all = text.match(CERTIFICATE) ?? [];
  try {
    const { X509Certificate } = nodeCrypto();
    const [first] = all.map((one) => new X509Certificate(one));
    if (first !== undefined) return { text: `${all.join("\n")}\n`, first };
  } catch {
    // The reasons of the parser help nobody.
  }
  throw new BadValue("certificates as PEM (-----BEGIN CERTIFICATE-----)");
}

/** It takes long to load, and few need it. */
function nodeCrypto() {
  return process.getBuiltinModule("node:crypto");
}

function privateKeyIn(text: string): KeyObject {
  try {
    return nodeCrypto().createPrivateKey(text);
  } catch {
    throw new BadValue(
      "a private key as PEM (-----BEGIN PRIVATE KEY-----), not encrypted",
    );
  }
}
