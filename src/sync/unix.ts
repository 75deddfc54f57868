// Unix sockets as a transport: the kernel tells who is at the other end.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { UnixSocket } from "../net/place.ts";
import {
  admitting,
  type EffectiveUser,
  requireTrusted,
} from "./local_users.ts";
import type {
  Listen,
  SocketOwner,
  SyncStream,
  UnixStream,
  UnixStreams,
} from "./streams.ts";

/**
 * @param owner Owner of the socket's file, if not the present user
 * @param log Limited, since anybody may connect as often as they like
 */
export function listenUnix(
  streams: UnixStreams,
  owner: SocketOwner | undefined,
  effectiveUser: EffectiveUser,
  log: RateLimitedLog,
): Listen<UnixSocket> {
  return (on) =>
    admitting(
      streams.listen(on, owner),
      (stream) => trusted(stream, effectiveUser),
      log,
    );
}

/** @throws if nobody listens there, or another user does */
export function connectUnix(
  streams: UnixStreams,
  to: UnixSocket,
  effectiveUser: EffectiveUser,
): SyncStream {
  const stream = streams.connect(to);
  try {
    return trusted(stream, effectiveUser);
  } catch (error) {
    stream.close();
    throw error;
  }
}

function trusted(
  stream: UnixStream,
  effectiveUser: EffectiveUser,
): UnixStream {
  requireTrusted(stream.uid, effectiveUser);
  return stream;
}
