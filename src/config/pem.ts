/**
 * Certificates and keys in the text form of RFC 7468.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { BadValue } from "./option.ts";

/** Certificates as they stood in a file, the first one understood. */
export interface Certificates {
  /** All of them, and nothing else. */
  readonly text: string;
  readonly first: X509Certificate;
}

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws {BadValue} if there is none, or one that cannot be read */
export function certificatesIn(text: string): Certificates {
  const all = text.match(CERTIFICATE) ?? [];
  try {
    const [first] = all.map((one) => new X509Certificate(one));
    if (first !== undefined) return { text: `${all.join("\n")}\n`, first };
  } catch {
    // The reasons of the parser help nobody.
  }
  throw new BadValue("certificates as PEM (-----BEGIN CERTIFICATE-----)");
}

/** @throws {BadValue} if there is none that can be read without a passphrase */
export function privateKeyIn(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new BadValue(
      "a private key as PEM (-----BEGIN PRIVATE KEY-----), not encrypted",
    );
  }
}
