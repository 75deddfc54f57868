// Certificates for the sync stream.
import type { TlsIdentity } from "../sync/tls_identity.ts";
import { anyText, optional } from "./option.ts";
import type { Surroundings } from "./host_files.ts";
import {
  given,
  type GivenFile,
  readCertificates,
  readPrivateKey,
  unusable,
} from "./pem.ts";
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
    key: readPrivateKey(key, { cert, own }, files, warn),
    authority: ca === undefined ? own.text : readCertificates(ca, files).text,
  };
}

/**
 * Deno before 2.9 asks no client for its certificate, and believes a server
 * that has one of any authority of the system.
 */
function requireVerification(one: GivenFile, { deno }: Runtime): void {
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  if (major > 2 || major === 2 && minor >= 9) return;
  throw unusable(
    one,
    `it takes Deno 2.9 or newer to make sure who the other side is, ` +
      `this is Deno ${deno}`,
  );
}
