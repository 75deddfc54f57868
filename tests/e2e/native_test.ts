import assert from "node:assert/strict";
import { PORT, waitingLeft } from "../interop/settings.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { copy, sendRuns, serve } from "../../lab/measure.ts";
import { missingCommand } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  anytun,
  oursAsBinary,
  oursNative,
  oursOnBuiltin,
  oursOnOpenssl,
  oursWithOneWorker,
  oursWithoutOffloads,
  oursWithTwoWorkers,
  type PeerProgram,
  type PeerSettings,
  uanytun,
} from "../../lab/peers.ts";

/** A peer's addresses inside the tunnel. */
interface Inner {
  readonly ipv4: string;
  readonly ipv6: string;
}

const LEFT: Inner = { ipv4: "10.99.0.1", ipv6: "fd00:99::1" };
const RIGHT: Inner = { ipv4: "10.99.0.2", ipv6: "fd00:99::2" };

/** How long a copy may take before it is given up, in seconds. */
const COPY_SECONDS = 120;

const MB = 1e6;

/** A tunnel and what it has to carry. */
interface Trial {
  readonly name: string;
  /** The program on the left; the native plane of ours unless told. */
  readonly left?: PeerProgram;
  /** The program on the right; the native plane of ours unless told. */
  readonly right?: PeerProgram;
  readonly type?: "tun" | "tap";
  /** Options that both peers get. */
  readonly options?: readonly string[];
  /** What is done to the hosts before the daemons start. */
  readonly prepare?: (host: LabHost) => Promise<unknown>;
  /** What is missing for that, or null. */
  readonly missing?: string | null;
  readonly carry: (lab: Lab) => Promise<unknown>;
}

const trials: readonly Trial[] = [
  {
    name: "carries 2 GB over inner IPv4",
    carry: (lab) => send(lab.left, RIGHT.ipv4, 2000 * MB),
  },
  {
    name: "carries 2 GB over inner IPv6",
    carry: (lab) => send(lab.right, LEFT.ipv6, 2000 * MB),
  },
  {
    name: "carries 8 flows of 100 MB at once",
    carry: (lab) => together(8, () => send(lab.left, RIGHT.ipv4, 100 * MB)),
  },
  ...[oursWithOneWorker, oursWithTwoWorkers].map((ours) => ({
    name: "carries 2 flows of 200 MB in each direction at once",
    left: ours,
    right: ours,
    carry: (lab: Lab) => inBothDirections(lab, "ipv4", 200 * MB, 2),
  })),
  {
    name: "carries frames of a tap device",
    type: "tap",
    carry: async (lab) => {
      await inBothDirections(lab, "ipv4", 200 * MB);
      await inBothDirections(lab, "ipv6", 200 * MB);
    },
  },
  { name: "carries runs of datagrams", carry: runsOfAllSizes },
  {
    name: "carries runs of datagrams in frames of a tap device",
    type: "tap",
    carry: runsOfAllSizes,
  },
  {
    name: "carries on a cable that does not segment UDP",
    missing: missingCommand("ethtool"),
    prepare: (host) =>
      host.exec("ethtool", "-K", "wire", "tx-udp-segmentation", "off"),
    carry: async (lab) => {
      await inBothDirections(lab, "ipv4", 200 * MB);
      await runsOfAllSizes(lab);
    },
  },
  {
    name: "carries where the path's MTU is smaller than the datagrams",
    prepare: (host) => host.ip("link", "set", "wire", "mtu", "1300"),
    carry: async (lab) => {
      await inBothDirections(lab, "ipv4", 50 * MB);
      await inBothDirections(lab, "ipv6", 50 * MB);
      await runsOfAllSizes(lab);
    },
  },
  {
    name: "carries where the path's MTU shrinks under way",
    carry: async (lab) => {
      await inBothDirections(lab, "ipv4", 50 * MB);
      for (const host of [lab.left, lab.right]) {
        await host.ip("link", "set", "wire", "mtu", "1300");
      }
      await inBothDirections(lab, "ipv4", 50 * MB);
    },
  },
  ...["1280", "1500"].map((mtu) => ({
    name: `carries with an MTU of ${mtu} bytes`,
    options: ["--mtu", mtu],
    carry: (lab: Lab) => inBothDirections(lab, "ipv6", 100 * MB),
  })),
  ...([
    [oursWithOneWorker, 100 * MB],
    [oursWithTwoWorkers, 100 * MB],
    [oursWithoutOffloads, 100 * MB],
    [oursOnOpenssl, 100 * MB],
    [oursOnBuiltin, 20 * MB],
  ] as const).map(([program, bytes]) => ({
    name: "carries in both directions",
    left: program,
    right: program,
    carry: async (lab: Lab) => {
      await inBothDirections(lab, "ipv4", bytes);
      await runsOfAllSizes(lab);
    },
  })),
  {
    name: "carries in both directions",
    left: oursAsBinary,
    carry: (lab) => inBothDirections(lab, "ipv6", 200 * MB),
  },
  ...[anytun, uanytun].flatMap((original) =>
    [oursWithOneWorker, oursWithTwoWorkers].map((ours) => ({
      name: "carries 100 MB in each direction",
      left: ours,
      right: original,
      carry: async (lab: Lab) => {
        await send(lab.left, RIGHT.ipv4, 100 * MB);
        await send(lab.right, LEFT.ipv4, 100 * MB);
      },
    }))
  ),
];

for (const [index, trial] of trials.entries()) {
  const { left = oursNative, right = oursNative, missing = null } = trial;
  labTest(
    `${left.name} with ${right.name} ${trial.name}`,
    `f-${index}`,
    [left.missing(), right.missing(), missing],
    async (lab) => {
      await Promise.all(
        [lab.left, lab.right].map((host) => trial.prepare?.(host)),
      );
      await Promise.all([
        left.start(lab.left, settings(trial, LEFT, lab.right)),
        right.start(lab.right, settings(trial, RIGHT, lab.left)),
      ]);
      await lab.left.ping(RIGHT.ipv4);
      await lab.right.ping(LEFT.ipv6);
      await Promise.all([serve(lab.left), serve(lab.right)]);
      await trial.carry(lab);
    },
  );
}

function settings(
  { type = "tun", options = [] }: Trial,
  inner: Inner,
  other: LabHost,
): PeerSettings {
  return {
    role: inner === LEFT ? "left" : "right",
    type,
    addresses: [`${inner.ipv4}/24`, `${inner.ipv6}/64`],
    port: PORT,
    remote: { host: other.ipv4, port: PORT },
    options: [...waitingLeft.options, "-w", "1024", ...options],
  };
}

/** Copies so many bytes and demands that each arrives as it was sent. */
async function send(
  from: LabHost,
  address: string,
  bytes: number,
): Promise<void> {
  const report = await copy(from, address, bytes, COPY_SECONDS);
  assert.equal(report.bytes, bytes, "the copy was too slow");
  assert.ok(report.intact, `what ${address} got differs from what was sent`);
}

function together(
  count: number,
  work: () => Promise<void>,
): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, work));
}

function inBothDirections(
  { left, right }: Lab,
  family: keyof Inner,
  bytes: number,
  flows = 1,
): Promise<unknown> {
  return Promise.all([
    together(flows, () => send(left, RIGHT[family], bytes)),
    together(flows, () => send(right, LEFT[family], bytes)),
  ]);
}

/** Small, odd and the largest that fit an MTU of 1400 bytes. */
async function runsOfAllSizes({ left, right }: Lab): Promise<void> {
  for (const size of [64, 999, 1372]) {
    await sendSome(left, right, RIGHT.ipv4, size);
  }
  for (const size of [64, 999, 1352]) {
    await sendSome(right, left, LEFT.ipv6, size);
  }
}

/** A datagram may be lost, but none is spoilt, doubled or overtaken. */
async function sendSome(
  from: LabHost,
  to: LabHost,
  address: string,
  size: number,
): Promise<void> {
  const outcome = await sendRuns(from, to, address, size, 100);
  const { sent, received, corrupted, disordered } = outcome;
  assert.deepEqual({ corrupted, disordered }, { corrupted: 0, disordered: 0 });
  assert.ok(received <= sent && received > sent / 2, JSON.stringify(outcome));
}
