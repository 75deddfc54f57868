// Certificates and their keys in files, as PEM.
import type { KeyObject, X509Certificate } from "node:crypto";
import { OptionFault, type Warn } from "./fault.ts";
import type { HostFiles } from "./host_files.ts";
import { BadValue } from "./option.ts";

/** A file, and the option that names it. */
export interface GivenFile {
  readonly option: string;
  readonly path: string;
}

export function given(
  option: string,
  path: string | undefined,
): GivenFile | undefined {
  return path === undefined ? undefined : { option, path };
}

/** @throws {OptionFault} if there are none */
export function readCertificates(
  file: GivenFile,
  files: HostFiles,
): Certificates {
  return read(file, () => {
    const bytes = files.readCertificates(file.path);
    return certificatesIn(new TextDecoder().decode(bytes));
  });
}

/**
 * Reads the key of a certificate.
 * @returns Nothing, where a start alone can read it
 * @throws {OptionFault} if it is not its key
 */
export function readPrivateKey(
  file: GivenFile,
  { cert, own }: { readonly cert: GivenFile; readonly own: Certificates },
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
      `the key from '${file.path}' (${file.option}) is not looked at: only ` +
        "a start reads it",
    );
    return "";
  }
  if (!own.first.checkPrivateKey(key)) {
    const whose = `the certificate in '${cert.path}' (${cert.option})`;
    throw unusable(file, `it is not the key of ${whose}`);
  }
  return String(key.export({ type: "pkcs8", format: "pem" }));
}

function read<T>(file: GivenFile, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isWrong = error instanceof BadValue;
    const reason = isWrong ? `it must hold ${error.message}` : error.message;
    throw unusable(file, reason, error);
  }
}

export function unusable(
  { option, path }: GivenFile,
  why: string,
  cause?: unknown,
): OptionFault {
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
