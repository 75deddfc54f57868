// TCP within this host: every user can connect to a loopback port, and listen
// on a free one. So both sides ask the kernel who owns the socket at the other
// end, before they send or read anything.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { isLoopback } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { Delay } from "../net/delay.ts";
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
} from "./streams.ts";

/**
 * Time for a server to accept, in ms. On a busy host one that has just
 * started may take seconds; a client gives up after ten anyway.
 */
const ACCEPT_MS = 8000;
/** Between two attempts, in ms. */
const RETRY_MS = 50;

export interface LocalUsers {
  readonly ownerOf: OwnerOf;
  readonly effectiveUser: EffectiveUser;
}

export function listenWithin(
  listenTcp: ListenTcp,
  users: LocalUsers,
  log: RateLimitedLog,
): Listen<Endpoint> {
  return (on) => {
    // Better no start than refusing everybody.
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

/** The kernel connects before the server accepts and owns the socket. */
async function admitInTime(
  stream: TcpStream,
  users: LocalUsers,
  delay: Delay,
  signal: AbortSignal,
): Promise<SyncStream> {
  for (let waited = 0; waited < ACCEPT_MS; waited += RETRY_MS) {
    signal.throwIfAborted();
    const admitted = admit(stream, users);
    if (admitted !== undefined) return admitted;
    await delay(RETRY_MS, signal);
  }
  throw new Error("no process accepts the connection");
}

/**
 * @returns undefined if no process owns the other end
 * @throws if it is one of another user, or the kernel does not tell
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
    throw withHint(cause);
  }
  // The answer is about this connection only if it has been up all the time:
  // after its end, others may have made one between the same two ports.
  const self = ownerOf(local, remote);
  if (self !== effectiveUser()) throw new Error("the connection is broken");
  return new OwnedStream(stream, uid);
}

function withHint(cause: unknown): Error {
  return new Error(`${reasonOf(cause)} (unless --sync-any-user)`, { cause });
}

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
