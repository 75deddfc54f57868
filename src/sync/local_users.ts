/**
 * Which users of this host may take part: root, and the one that the program
 * runs as. Whoever takes part learns all keys, or is believed.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatPlace, type Place } from "../net/place.ts";
import type { SyncListener, SyncStream } from "./seams.ts";

const ROOT = 0;

/** The user that the program acts as now; it may become another one. */
export type EffectiveUser = () => number;

/** @throws if the user on the other side may not take part */
export function requireTrusted(
  uid: number,
  effectiveUser: EffectiveUser,
): void {
  const self = effectiveUser();
  if (uid === ROOT || uid === self) return;
  const trusted = self === ROOT ? "root is" : `root and user ${self} are`;
  throw new Error(`it belongs to user ${uid}, and only ${trusted} trusted`);
}

/**
 * Hands out those clients alone that may take part; others are closed before
 * a byte is sent or read.
 *
 * @param admit Gives the stream to go on with
 * @throws from `admit` if the client is to be refused
 * @param log Limited, since anybody may try as often as they like
 */
export function admitting<P extends Place, S extends SyncStream>(
  listener: SyncListener<P, S>,
  admit: (stream: S) => SyncStream,
  log: RateLimitedLog,
): SyncListener<P> {
  return {
    local: listener.local,
    isProtected: listener.isProtected,
    close: () => listener.close(),
    async accept() {
      for (;;) {
        const stream = await listener.accept();
        try {
          return admit(stream);
        } catch (error) {
          stream.close();
          const from = formatPlace(stream.remote);
          log.write(
            "warning",
            "refused user of this host",
            () => `sync client ${from} refused: ${reasonOf(error)}`,
          );
        }
      }
    },
  };
}
