// Rights of the servers of a cluster: what they are believed, beside its control
// daemons.
import { formatPlaceName, isOnThisHost, isUnixSocket } from "../net/place.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { BadValue, withDefault } from "./option.ts";
import type { syncServerRows } from "./sync_servers.ts";
import type { syncTlsRows } from "./sync_tls.ts";
import type { Settings } from "./values.ts";

const MEMBER_RIGHTS = ["all", "learn"] as const;

/** Whether servers of --sync-hosts may state all, or tell what they learn. */
export type MemberRights = typeof MEMBER_RIGHTS[number];

export const memberRightsRow = withDefault({
  group: "Cluster",
  long: "--member-rights",
  argument: "choice",
  parse: memberRights,
  choices: MEMBER_RIGHTS,
  default: "all" as MemberRights,
  help: "what servers of --sync-hosts are believed: all that they state; or " +
    "learn, where clients are and how far they have come, while connections, " +
    "keys, routes and removals come from --control-host alone",
});

/** @throws {OptionFault} if nobody could state anything, or all could */
export function memberRightsOf(
  { values, names }: Settings<
    & typeof syncServerRows
    & typeof syncTlsRows
    & { readonly memberRights: typeof memberRightsRow }
  >,
  warn: Warn,
): MemberRights {
  const { memberRights, syncTlsCa, syncTlsCert } = values;
  if (memberRights === "all") return memberRights;
  const given = `${names.memberRights} ${memberRights}`;
  const hosts = values.controlHosts.flat();
  if (hosts.length === 0) {
    throw new OptionFault(
      `${given} needs --control-host (-X): with it nobody else tells of ` +
        "connections, keys and routes",
    );
  }
  const overTcp = hosts.filter((place) => !isUnixSocket(place));
  if (syncTlsCert === undefined) {
    const other = overTcp.find((place) => !isOnThisHost(place));
    if (other === undefined) return memberRights;
    warn(
      `${given}: ${
        formatPlaceName(other)
      } (${names.controlHosts}) is reached ` +
        "without TLS, so that whoever gets in between, or has its address, " +
        "states all: add --sync-tls-cert and --sync-tls-ca, or use unix:",
    );
  } else if (syncTlsCa === undefined && overTcp.length > 0) {
    throw new OptionFault(
      `${given} needs --sync-tls-ca, and a certificate for each host: ` +
        `with ${names.syncTlsCert} alone all have the same one, and each ` +
        "member can pose as the control daemon",
    );
  }
  return memberRights;
}

function memberRights(text: string): MemberRights {
  const choice = MEMBER_RIGHTS.find((name) => name === text);
  if (choice === undefined) throw new BadValue(MEMBER_RIGHTS.join(" or "));
  return choice;
}
