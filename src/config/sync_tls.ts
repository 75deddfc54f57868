/**
 * Certificates that protect the sync stream: one that all members hold, or
 * one for each, signed by an authority of their own.
 *
 * @module
 */
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { BadValue } from "./option.ts";
import { type Certificates, certificatesIn, privateKeyIn } from "./pem.ts";
import type { SecretFiles } from "./secret_files.ts";
import type { Runtime } from "./version.ts";

/** Who this member is, and whom it believes. */
export interface SyncTls {
  /** The own certificate, and those between it and an authority, as PEM. */
  readonly certificate: string;
  /** The private key of the own certificate, as PEM. */
  readonly key: string;
  /** Certificates behind those of other members, as PEM. */
  readonly authority: string;
}

/** Option values that tell where certificates and key are. */
export interface SyncTlsValues {
  readonly syncTlsCert: string | undefined;
  readonly syncTlsKey: string | undefined;
  readonly syncTlsCa: string | undefined;
}

/** What is given from outside. */
export interface SyncTlsContext {
  readonly runtime: Runtime;
  readonly files: SecretFiles;
  readonly warn: Warn;
}

/** An option with its value. */
interface Given {
  readonly option: string;
  readonly path: string;
}

/**
 * Reads certificates and key.
 *
 * @returns undefined if there is to be no TLS
 * @throws {OptionFault} if they are not complete, or cannot be used
 */
export function syncTlsOf(
  { syncTlsCert, syncTlsKey, syncTlsCa }: SyncTlsValues,
  { runtime, files, warn }: SyncTlsContext,
): SyncTls | undefined {
  const cert = given("--sync-tls-cert", syncTlsCert);
  const key = given("--sync-tls-key", syncTlsKey);
  const ca = given("--sync-tls-ca", syncTlsCa);
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

function readCertificates(file: Given, files: SecretFiles): Certificates {
  return read(file, () => {
    const bytes = files.readCertificates(file.path);
    return certificatesIn(new TextDecoder().decode(bytes));
  });
}

function readKey(
  file: Given,
  { cert, own }: { readonly cert: Given; readonly own: Certificates },
  files: SecretFiles,
  warn: Warn,
): string {
  const key = read(file, () => {
    const { bytes, isPublic } = files.readFile(file.path);
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
