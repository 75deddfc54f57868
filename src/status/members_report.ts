// Report of a daemon on all members of its cluster. Never keys.
import { Fields, flagOf, numberOf, objectOf, textOf } from "./fields.ts";

/** Moves when a reader of before would misread what it is given. */
export const MEMBERS_FORMAT = 1;

/**
 * What a member is: the daemon that reports; one of ours that tells of itself;
 * one of ours that does not, as the control daemon; an original; or one that was
 * never heard.
 */
const MEMBER_KINDS = [
  "self",
  "member",
  "silent",
  "original",
  "unknown",
] as const;

type MemberKind = typeof MEMBER_KINDS[number];

export interface MemberReport {
  /** Where the daemon follows it, as configured; null for itself. */
  readonly address: string | null;
  readonly kind: MemberKind;
  readonly isConnected: boolean;
  /** As it says itself, as all of the following; null where it says nothing. */
  readonly name: string | null;
  readonly version: string | null;
  /** Whether it may have traffic, in one word. */
  readonly health: string | null;
  readonly inStep: boolean | null;
  /** When its health has last changed, in ms since 1970. */
  readonly since: number | null;
  /** How many clients it serves. */
  readonly clients: number;
  /**
   * How often it has said of a sender how far it has come, so that what it has
   * accepted is a replay here; 0 for the daemon itself.
   */
  readonly floors: number;
}

export interface ServedReport {
  readonly mux: number;
  /** Where the client is; null as long as nobody knows. */
  readonly endpoint: string | null;
  /** The address of the member that serves it; null for the daemon itself. */
  readonly member: string | null;
  /** Since when, in ms since 1970. */
  readonly since: number;
}

export interface MembersReport {
  readonly format: typeof MEMBERS_FORMAT;
  /** Of the instance that reports. */
  readonly name: string;
  /** When this was said, in ms since 1970. */
  readonly time: number;
  /** The daemon itself is the first; none outside of a cluster. */
  readonly members: readonly MemberReport[];
  /** By ascending mux; those that no member hears are left out. */
  readonly clients: readonly ServedReport[];
}

/** Of a daemon outside of a cluster. */
export function noMembers(name: string, time: number): MembersReport {
  return { format: MEMBERS_FORMAT, name, time, members: [], clients: [] };
}

/** @throws {ReportError} if anything in it is not as it has to be */
export function readMembersReport(text: string): MembersReport {
  const report = objectOf(text);
  return {
    format: report.format(MEMBERS_FORMAT),
    name: report.text("name"),
    time: report.number("time"),
    members: report.list("members", memberOf),
    clients: report.list("clients", servedOf),
  };
}

function memberOf(value: unknown, place: string): MemberReport {
  const member = new Fields(value, place);
  return {
    address: member.orNull("address", textOf),
    kind: member.oneOf("kind", MEMBER_KINDS),
    isConnected: member.flag("isConnected"),
    name: member.orNull("name", textOf),
    version: member.orNull("version", textOf),
    health: member.orNull("health", textOf),
    inStep: member.orNull("inStep", flagOf),
    since: member.orNull("since", numberOf),
    clients: member.number("clients"),
    floors: member.number("floors"),
  };
}

function servedOf(value: unknown, place: string): ServedReport {
  const served = new Fields(value, place);
  return {
    mux: served.number("mux"),
    endpoint: served.orNull("endpoint", textOf),
    member: served.orNull("member", textOf),
    since: served.number("since"),
  };
}
