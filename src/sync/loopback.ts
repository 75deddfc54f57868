/**
 * TCP within this host: every user can connect to a port of loopback, and
 * listen on one that is free. So both sides ask the kernel whose socket is at
 * the other end, before they send or read anything.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { isLoopback } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { Delay } from "../net/resolver.ts";
import {
  admitting,
  type EffectiveUser,
  requireTrusted,
} from "./local_users.ts";
import type {
  Connect,
  ConnectTcp,
  Listen,
  ListenTcp,
  OwnerOf,
  SyncStream,
  TcpStream,
} from "./seams.ts";

/**
 * How long a server may take to accept a connection, in ms. On a busy host one
 * that has just started is at times not there for seconds; a client gives up
 * after ten anyway.
 */
const ACCEPT_MS = 8000;
/** From one look to the next, in ms. */
const LOOK_MS = 50;

/** What the check needs to know. */
export interface LocalUsers {
  readonly ownerOf: OwnerOf;
  readonly effectiveUser: EffectiveUser;
}

/**
 * Listens for clients of any other host, and of trusted users of this one.
 *
 * @param log Limited, since anybody may try as often as they like
 */
export function listenWithin(
  listenTcp: ListenTcp,
  users: LocalUsers,
  log: RateLimitedLog,
): Listen<Endpoint> {
  return (on) => {
    // Rather no start than one that refuses everybody.
    if (isLoopback(on.address)) users.ownerOf(on, on);
    return admitting(
      listenTcp(on),
      (stream) => {
        const admitted = admit(stream, users);
        if (admitted === undefined) throw new Error("it is gone");
        return admitted;
      },
      log,
    );
  };
}

/** Connects to servers of any other host, and of trusted users of this one. */
export function connectWithin(
  connectTcp: ConnectTcp,
  users: LocalUsers,
  delay: Delay,
): Connect<Endpoint> {
  return async (to, signal) => {
    const stream = await connectTcp(to, signal);
    try {
      return await admitInTime(stream, users, delay, signal);
    } catch (error) {
      stream.close();
      throw error;
    }
  };
}

/** The kernel connects before the server accepts, and then nobody is there. */
async function admitInTime(
  stream: TcpStream,
  users: LocalUsers,
  delay: Delay,
  signal: AbortSignal,
): Promise<SyncStream> {
  for (let waited = 0; waited < ACCEPT_MS; waited += LOOK_MS) {
    signal.throwIfAborted();
    const admitted = admit(stream, users);
    if (admitted !== undefined) return admitted;
    await delay(LOOK_MS, signal);
  }
  throw new Error("no process accepts the connection");
}

/**
 * @returns undefined if no process is at the other end
 * @throws if it is one of another user, or nobody can tell
 */
function admit(
  stream: TcpStream,
  { ownerOf, effectiveUser }: LocalUsers,
): SyncStream | undefined {
  const { local, remote } = stream;
  if (!isLoopback(local.address) && !isLoopback(remote.address)) return stream;
  const uid = ownerOf(remote, local);
  if (uid === undefined) return undefined;
  try {
    requireTrusted(uid, effectiveUser);
  } catch (cause) {
    throw withWayOut(cause);
  }
  // The answer holds as long as this connection has been there all the time:
  // after its end, others may have made one between the same two ports.
  const self = ownerOf(local, remote);
  if (self !== effectiveUser()) throw new Error("the connection is broken");
  return new OwnedStream(stream, uid);
}

function withWayOut(cause: unknown): Error {
  return new Error(`${reasonOf(cause)} (unless --sync-any-user)`, { cause });
}

/** A stream whose other end belongs to a user of this host. */
class OwnedStream implements SyncStream {
  readonly uid: number;
  readonly #stream: TcpStream;

  constructor(stream: TcpStream, uid: number) {
    this.#stream = stream;
    this.uid = uid;
  }

  get remote(): Endpoint {
    return this.#stream.remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#stream.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  close(): void {
    this.#stream.close();
  }
}
