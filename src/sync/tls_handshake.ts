// Both sides of a TLS handshake over a stream that is there already.
//
// Names in certificates are not compared, unless one is expected: members are
// reached by addresses, and one address may be several members. A certificate of
// the authority is enough.
import { connect, createServer, type TLSSocket } from "node:tls";
import { hostNamesIn, namesHost } from "./certificate_names.ts";
import type { SyncStream } from "./streams.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import { SILENT } from "./pending_client.ts";
import { TlsStream } from "./tls_stream.ts";
import { Wire } from "./wire.ts";

/**
 * @returns The stream inside, on which nothing has been sent
 * @throws if the certificate is not accepted; the stream is closed then
 */
export async function acceptHandshake(
  plain: SyncStream,
  identity: TlsIdentity,
  timeoutMs: number,
): Promise<SyncStream> {
  const wire = new Wire(plain);
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const server = createServer({
    ...optionsOf(identity),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: timeoutMs,
  });
  server.on("secureConnection", resolve);
  server.on(
    "tlsClientError",
    (error, { authorizationError: code }) =>
      reject(
        code
          ? new Error(`its certificate is refused (${code})`)
          : withReason(error),
      ),
  );
  server.emit("connection", wire.duplex);
  return await verified(promise, plain, wire);
}

/**
 * @param expected The host that the certificate has to name, if any
 * @throws if the certificate is not accepted or the signal is aborted; the
 * stream is closed then
 */
export async function beginHandshake(
  plain: SyncStream,
  identity: TlsIdentity,
  signal: AbortSignal,
  expected?: string,
): Promise<SyncStream> {
  const wire = new Wire(plain);
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    ...optionsOf(identity),
    socket: wire.duplex,
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
  });
  socket.once("secureConnect", () => resolve(socket));
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("the connection is closed")));
  const stop = () => socket.destroy(new Error("no answer"));
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) stop();
    return await verified(promise, plain, wire, expected);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Who refuses a certificate breaks off, which the runtime does not notice. */
function withReason(error: Error): Error {
  if (!error.message.includes("handshake timeout")) return error;
  const text = "its handshake has no end, as of one that refuses the " +
    "certificate of this side";
  return new Error(text, { cause: error });
}

function optionsOf({ certificate, key, authority }: TlsIdentity) {
  return {
    cert: certificate,
    key,
    ca: authority,
    minVersion: "TLSv1.3",
  } as const;
}

async function verified(
  handshake: Promise<TLSSocket>,
  plain: SyncStream,
  wire: Wire,
  expected?: string,
): Promise<SyncStream> {
  try {
    const socket = await handshake;
    // The runtime has verified it. One that did not would let everybody in.
    if (!socket.authorized || !hasCertificate(socket)) {
      socket.destroy();
      throw new Error("its certificate is not verified");
    }
    if (expected !== undefined) requireName(socket, expected);
    return new TlsStream(socket, plain);
  } catch (cause) {
    plain.close();
    throw wire.beginning === "TLS"
      ? cause
      : new Error(missingTls(wire), { cause });
  }
}

/** The runtime's own comparison believes a CN, too. */
function requireName(socket: TLSSocket, host: string): void {
  const names = hostNamesIn(socket.getPeerCertificate().raw);
  if (namesHost(names, host)) return;
  socket.destroy();
  throw new Error(
    `its certificate does not name ${host}: that of a control host needs it ` +
      "as subjectAltName, and no other one may have it (--member-rights)",
  );
}

function missingTls({ beginning }: Wire): string {
  return beginning === "nothing" ? SILENT : "it does not use TLS";
}

function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
}
