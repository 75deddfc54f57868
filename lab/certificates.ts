/**
 * Certificates that `certificates/make.sh` has made, and where they work.
 */
import type { TlsIdentity } from "../src/sync/tls_identity.ts";
import { testUnless } from "./test_unless.ts";

const FOLDER = new URL("certificates/", import.meta.url);

/** Those of which there is a key. */
export type CertificateName =
  | "alice"
  | "bob"
  | "expired"
  | "intruder"
  | "named"
  | "shared"
  | "unknown";

/** Those that others may be believed by. */
export type AuthorityName = "ca" | "named" | "other_ca" | "shared";

/** The path of a certificate or key, such as `alice.key`. */
export function certificateFile(name: string): string {
  return new URL(name, FOLDER).pathname;
}

/** The options of a member that has this certificate. */
export function tlsOptions(
  name: CertificateName,
  authority?: AuthorityName,
): string[] {
  return [
    ...["--sync-tls-cert", certificateFile(`${name}.pem`)],
    ...["--sync-tls-key", certificateFile(`${name}.key`)],
    ...(authority === undefined
      ? []
      : ["--sync-tls-ca", certificateFile(`${authority}.pem`)]),
  ];
}

/** One side of a handshake that believes an authority. */
export function identityOf(
  name: CertificateName,
  authority: AuthorityName = "ca",
): TlsIdentity {
  const read = (file: string) => Deno.readTextFileSync(certificateFile(file));
  return {
    certificate: read(`${name}.pem`),
    key: read(`${name}.key`),
    authority: read(`${authority}.pem`),
  };
}

/** Why this runtime does no TLS that verifies, or null if it does. */
export const whyNoTls: string | null = isAtLeast29(Deno.version.deno)
  ? null
  : `Deno ${Deno.version.deno} asks no client for its certificate, so that ` +
    "daemons refuse the options of TLS: it takes 2.9, as releases have it";

function isAtLeast29(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

/** Registers a test that needs such TLS. */
export function tlsTest(name: string, fn: () => Promise<void>): void {
  testUnless([whyNoTls], name, fn);
}
