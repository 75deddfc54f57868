// Table of the members of a cluster, and of who serves which client, for people.
import { alignedRows } from "../log/rows.ts";
import { visible } from "../log/visible.ts";
import { durationText } from "./page/text.js";
import type {
  MemberReport,
  MembersReport,
  ServedReport,
} from "./members_report.ts";

const MEMBER_HEADINGS = [
  "MEMBER",
  "NAME",
  "HEALTH",
  "IN STEP",
  "CLIENTS",
  "LAST CHANGE",
  "VERSION",
];

const CLIENT_HEADINGS = ["MUX", "ENDPOINT", "SERVED BY", "FOR"];

/** Stands for what there is not. */
const NONE = "-";
const SELF = "this daemon";

/** Lines without control characters, whatever the report says. */
export function membersTableLines(report: MembersReport): string[] {
  const { name, time, members, clients } = report;
  if (members.length === 0) return [visible(`${name}: in no cluster`)];
  const served = clients.map((client) => clientRow(client, time));
  return [
    `${name}: ${counted(members.length, "member")}, ` +
    `${counted(clients.length, "client")} heard`,
    ...alignedRows([
      MEMBER_HEADINGS,
      ...members.map((member) => memberRow(member, time)),
    ]),
    ...(served.length > 0
      ? ["", ...alignedRows([CLIENT_HEADINGS, ...served])]
      : []),
  ].map((line) => visible(line));
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

function memberRow(member: MemberReport, time: number): string[] {
  const { address, name, inStep, clients, since, version } = member;
  return [
    address ?? SELF,
    name ?? NONE,
    healthText(member),
    inStep === null ? NONE : inStep ? "yes" : "NO",
    member.kind === "self" || member.kind === "member" ? String(clients) : NONE,
    since === null ? NONE : `${durationText((time - since) / 1000)} ago`,
    version ?? NONE,
  ];
}

function healthText({ kind, health, isConnected }: MemberReport): string {
  if (!isConnected) return "not connected";
  if (kind === "original") return "original, says nothing";
  return health ?? "says nothing";
}

function clientRow(
  { mux, endpoint, member, since }: ServedReport,
  time: number,
): string[] {
  return [
    String(mux),
    endpoint ?? NONE,
    member ?? SELF,
    durationText((time - since) / 1000),
  ];
}
