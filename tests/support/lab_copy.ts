import assert from "node:assert/strict";
import type { Lab, LabHost } from "./lab.ts";
import type { CopyReport } from "./lab_traffic.ts";

/** The port of the traffic's servers, inside the tunnel. */
const TRAFFIC_PORT = "7000";

/**
 * Copies random bytes over TCP from either host to the other at the same time
 * and asserts that all of them arrive as they were sent.
 *
 * @param left The left host's address to be used.
 * @param right The right host's address to be used.
 */
export async function assertCopies(
  lab: Lab,
  left: string,
  right: string,
  bytes: number,
): Promise<void> {
  await Promise.all([lab.left, lab.right].map(serve));
  await Promise.all([
    assertCopy(lab.left, right, bytes),
    assertCopy(lab.right, left, bytes),
  ]);
}

async function serve(host: LabHost): Promise<void> {
  await host.script("lab_traffic.ts", "serve", TRAFFIC_PORT).line(/serving/);
}

async function assertCopy(
  host: LabHost,
  to: string,
  bytes: number,
): Promise<void> {
  const args = ["send", to, TRAFFIC_PORT, String(bytes), "60"];
  const sender = host.script("lab_traffic.ts", ...args);
  const report: CopyReport = JSON.parse(await sender.line(/^{/, 60));
  assert.equal(report.bytes, bytes);
  assert.ok(report.intact, `what arrived at ${to} differs from what was sent`);
}
