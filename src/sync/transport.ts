// Choice of a transport for sync: unix socket, TCP with TLS, or TCP with a
// check of local users.
//
// To be called before the program is confined: TLS takes megabytes and unix
// sockets a library, so that both are loaded here and only if needed.
import { reasonOf } from "../log/reason.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { isUnixSocket } from "../net/place.ts";
import type { Delay } from "../net/delay.ts";
import type { EffectiveUser } from "./local_users.ts";
import { connectWithin, listenWithin, type LocalUsers } from "./loopback.ts";
import type {
  Connect,
  ConnectTcp,
  Listen,
  ListenTcp,
  OwnerOf,
  SocketOwner,
  UnixStreams,
} from "./streams.ts";
import type { TlsIdentity } from "./tls_identity.ts";
import type { Surroundings } from "./tls_listener.ts";
import { connectUnix, listenUnix } from "./unix.ts";

export interface SyncTrust {
  /** Certificates, in place of users of this host. */
  readonly syncTls: TlsIdentity | undefined;
  /** Every user of this host, over TCP. */
  readonly syncAnyUser: boolean;
}

interface UserCarriers {
  /** @throws if the kernel does not tell */
  openOwners(): OwnerOf;
  readonly effectiveUser: EffectiveUser;
  /**
   * The same at each call.
   * @throws if there are none
   */
  openUnixStreams(): UnixStreams;
}

export interface ListenCarriers extends UserCarriers {
  readonly listenTcp: ListenTcp;
}

export interface ConnectCarriers extends UserCarriers {
  readonly connectTcp: ConnectTcp;
  readonly delay: Delay;
}

/** @param owner User that the program will become: owns the unix socket */
export async function listenFor(
  trust: SyncTrust,
  carriers: ListenCarriers,
  owner: SocketOwner | undefined,
  surroundings: Surroundings,
): Promise<Listen> {
  const { effectiveUser } = carriers;
  const listenTcp = await listenTcpFor(trust, carriers, surroundings);
  const streams = () => carriers.openUnixStreams();
  return (on) =>
    isUnixSocket(on)
      ? listenUnix(streams(), owner, effectiveUser, surroundings.log)(on)
      : listenTcp(on);
}

/** @param expected The host that certificates of servers have to name, if any */
export async function connectFor(
  trust: SyncTrust,
  carriers: ConnectCarriers,
  servers: readonly object[],
  expected?: string,
): Promise<Connect> {
  const { effectiveUser } = carriers;
  const connectTcp = await connectTcpFor(trust, carriers, expected);
  const streams = () => carriers.openUnixStreams();
  if (servers.some(isUnixSocket)) streams();
  return async (to, signal) =>
    isUnixSocket(to)
      ? connectUnix(streams(), to, effectiveUser)
      : await connectTcp(to, signal);
}

async function listenTcpFor(
  { syncTls, syncAnyUser }: SyncTrust,
  carriers: ListenCarriers,
  surroundings: Surroundings,
): Promise<Listen<Endpoint>> {
  const { listenTcp } = carriers;
  if (syncTls !== undefined) {
    const { listenTls } = await import("./tls.ts");
    return listenTls(listenTcp, syncTls, surroundings);
  }
  if (syncAnyUser) return listenTcp;
  return listenWithin(listenTcp, usersOf(carriers), surroundings.log);
}

async function connectTcpFor(
  { syncTls, syncAnyUser }: SyncTrust,
  carriers: ConnectCarriers,
  expected: string | undefined,
): Promise<Connect<Endpoint>> {
  const { connectTcp, delay } = carriers;
  if (syncTls !== undefined) {
    const { connectTls } = await import("./tls.ts");
    return connectTls(connectTcp, syncTls, expected);
  }
  if (syncAnyUser) return connectTcp;
  return connectWithin(connectTcp, usersOf(carriers), delay);
}

/** Without an answer of the kernel local peers are refused, others are not. */
function usersOf(carriers: UserCarriers): LocalUsers {
  const { effectiveUser } = carriers;
  try {
    return { ownerOf: carriers.openOwners(), effectiveUser };
  } catch (cause) {
    const ownerOf = () => {
      throw new Error(
        `${reasonOf(cause)}, so no user of this host is trusted ` +
          "(unless --sync-any-user)",
        { cause },
      );
    };
    return { ownerOf, effectiveUser };
  }
}
