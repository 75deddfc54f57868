/** Reports of daemons, to test with. */
import {
  type MemberReport,
  MEMBERS_FORMAT,
  type MembersReport,
} from "../../src/status/members_report.ts";
import { ConnectionSamples } from "../../src/status/connection_samples.ts";
import { REPORT_FORMAT } from "../../src/status/report.ts";
import type {
  ConnectionReport,
  Report,
  ToldReport,
} from "../../src/status/report.ts";
import type { Response } from "../../src/status/response.ts";

const SECOND = 1000;
/** 2026-11-29T12:00:00Z */
export const NOON = 1_796_040_000 * SECOND;

export function connectionReport(
  own: Partial<ConnectionReport> = {},
): ConnectionReport {
  return {
    mux: 1,
    peer: "vpn.example.com",
    endpoint: "192.0.2.1:4444",
    lastHeard: NOON - 3 * SECOND,
    pathMtu: 1500,
    keyEpoch: null,
    routes: [],
    counters: { bytes_out_total: 2048, bytes_in_total: 500 },
    ...own,
  };
}

/** One connection, which has run for an hour. */
export function sampleReport(own: Partial<Report> = {}): Report {
  const connections = own.connections ?? [connectionReport()];
  return {
    format: REPORT_FORMAT,
    name: "office",
    version: "1.2.3",
    pid: 77,
    time: NOON,
    started: NOON - 3600 * SECOND,
    state: "running",
    isCarrying: true,
    health: { state: "fit", reasons: [], since: NOON - 3500 * SECOND },
    announcement: null,
    device: { name: "tun0", type: "tun", mtu: 1400 },
    plane: "native data plane",
    listening: ["0.0.0.0:4444"],
    cluster: null,
    connectionCount: connections.length,
    totals: {},
    counters: {},
    ...own,
    connections,
  };
}

/** As a daemon tells it. */
export function toldReport(report: Report = sampleReport()): ToldReport {
  return { ...report, totals: () => Promise.resolve(report.totals) };
}

/** What metrics say of its connections. */
export function samplesOf({ connections }: Report): ConnectionSamples {
  const samples = new ConnectionSamples(connections.length);
  for (const connection of connections) samples.add(connection);
  return samples;
}

export async function bodyText({ body }: Response): Promise<string> {
  if (typeof body === "string") return body;
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}

/** A daemon, a member that is unfit, and an original; the daemon has a client. */
export function sampleMembers(
  change: Partial<MembersReport> = {},
): MembersReport {
  const since = 1_700_000_000_000;
  const self: MemberReport = {
    address: null,
    kind: "self",
    isConnected: true,
    name: "vpn",
    version: "1.2.3",
    health: "fit",
    inStep: true,
    since,
    clients: 1,
    floors: 0,
  };
  const address = "192.0.2.2:2323";
  const silent = { name: null, version: null, health: null, inStep: null };
  return {
    format: MEMBERS_FORMAT,
    name: "vpn",
    time: since + 60_000,
    members: [
      self,
      {
        ...{ ...self, address, name: "edge", clients: 0, floors: 9 },
        kind: "member",
        health: "unfit",
        inStep: false,
      },
      {
        ...{ ...self, ...silent, clients: 0, since: null },
        address: "192.0.2.3:2323",
        kind: "original",
      },
    ],
    clients: [{
      mux: 5,
      endpoint: "192.0.2.5:4444",
      member: null,
      since: since + 10_000,
    }],
    ...change,
  };
}
