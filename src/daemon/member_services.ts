// Services that tell the other members of a cluster of this one, and listen to
// what they say: replay floors, and who serves which client.
import { PROGRAM_VERSION } from "../config/version.ts";
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { HealthReport } from "../status/report.ts";
import { SyncError } from "../sync/error.ts";
import { FLOORS } from "../sync/floor_message.ts";
import { MEMBER, SERVING } from "../sync/view_message.ts";
import { acceptedWords } from "../tunnel/replay_bound.ts";
import { remoteOf } from "../tunnel/sightings.ts";
import { FloorExchange } from "./floor_exchange.ts";
import { Roster } from "./roster.ts";
import type { Listener, SyncMember } from "./sync_member.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

export interface MemberServices {
  readonly floors: FloorExchange | undefined;
  readonly roster: Roster;
}

export function memberServices(
  frame: TunnelFrame,
  member: SyncMember,
  { health, inStep }: {
    readonly health: () => Pick<HealthReport, "state" | "since">;
    readonly inStep: () => boolean;
  },
): MemberServices {
  const { interfaceName, options, table, world } = frame;
  const say = (kind: string, body: string) => member.say(kind, body);
  const floors = floorExchange(frame, say);
  const roster = new Roster({
    ...{ table, health, inStep, say },
    name: options.name,
    version: PROGRAM_VERSION,
    endpointOf: (mux) => remoteOf(table, mux, interfaceName),
    servers: () => member.servers(),
    floorsOf: (server) => floors?.heardFrom(server) ?? 0,
  }, world);
  const listen = (kind: string, hear: Listener) =>
    member.listen(kind, unlessUnreadable(hear, frame.limited));
  listen(MEMBER, (from, body) => roster.saidFacts(from, body));
  listen(SERVING, (from, body) => roster.saidServing(from, body));
  listen(FLOORS, (from, body) => floors?.said(from, body));
  member.onJoined(() => {
    roster.joined();
    floors?.joined();
  });
  return { floors, roster };
}

/** What nobody understands costs nobody the connections and routes. */
function unlessUnreadable(hear: Listener, limited: RateLimitedLog): Listener {
  return (from, body) => {
    try {
      hear(from, body);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      limited.write(
        "warning",
        "sync message",
        () => `sync: from ${from.name}: ${error.message}`,
      );
    }
  };
}

function floorExchange(
  { accepted, floors, limited, table, world }: TunnelFrame,
  say: (kind: string, body: string) => void,
): FloorExchange | undefined {
  if (floors === undefined || accepted === undefined) return undefined;
  const words = acceptedWords(accepted);
  return new FloorExchange({ floors, words, table, say, limited }, world);
}
