// Trusted users of this host: root, and the one the program runs as. A peer
// learns all keys, or is believed.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatPlace, type Place } from "../net/place.ts";
import type { SyncListener, SyncStream } from "./streams.ts";

const ROOT = 0;

/** As of now; privileges may be dropped. */
export type EffectiveUser = () => number;

/** @throws if that user is not trusted */
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
 * Closes clients that are not trusted before a byte is sent or read.
 * @param admit The stream to go on with; throws if the client is refused
 * @param log Limited, since anybody may connect as often as they like
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
