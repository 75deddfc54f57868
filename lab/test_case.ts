import { BgpLab } from "./bgp_lab.ts";
import type { BgpNetworkOptions } from "./bgp_network.ts";
import { ClusterLab } from "./cluster_lab.ts";
import { DeviceLab } from "./device_lab.ts";
import { HostileLab } from "./hostile_lab.ts";
import { Lab } from "./lab.ts";
import { missingCommand, whyNoLab } from "./missing.ts";
import { testUnless } from "./test_unless.ts";

/**
 * Registers a test that needs a lab. Where there can be no lab, or something
 * else is missing, the test is ignored and its name says why.
 *
 * @param tag Tells this test's namespaces from those of all other tests.
 * @param missing What is missing besides a lab, null for each thing that is
 * there.
 */
export function labTest(
  name: string,
  tag: string,
  missing: readonly (string | null)[],
  body: (lab: Lab) => Promise<void>,
): void {
  const needed = [whyNoLab(), missingCommand("ping"), ...missing];
  testUnless(needed, name, async () => {
    await using lab = await Lab.open(`${tag}-${Deno.pid}`);
    await body(lab);
  });
}

/**
 * Registers a test with somebody between two hosts.
 *
 * @param missing What is missing besides a lab, null if nothing is.
 */
export function hostileTest(
  name: string,
  tag: string,
  missing: string | null,
  body: (lab: HostileLab) => Promise<void>,
): void {
  const needed = [whyNoLab(), missingCommand("ping"), missing];
  testUnless(needed, name, async () => {
    await using lab = await HostileLab.open(`${tag}-${Deno.pid}`);
    await body(lab);
  });
}

/**
 * Registers a test of devices, on a host of its own.
 *
 * @param missing What is missing besides a lab, null if nothing is.
 */
export function deviceTest(
  name: string,
  body: (lab: DeviceLab) => Promise<void>,
  missing: string | null = null,
): void {
  testUnless([whyNoLab(), missing], name, async () => {
    await using lab = await DeviceLab.open();
    await body(lab);
  });
}

/**
 * Registers a test of servers that share an address, none of them started.
 *
 * @param missing What is missing besides a lab, null for each thing that is
 * there.
 */
export function clusterTest(
  name: string,
  tag: string,
  missing: readonly (string | null)[],
  body: (lab: ClusterLab) => Promise<void>,
): void {
  testUnless([...whyNoRouter(), ...missing], name, async () => {
    await using lab = await ClusterLab.open(`${tag}-${Deno.pid}`);
    await body(lab);
  });
}

/** A routing daemon that a busy machine holds up for less has not ended. */
const PATIENT_BFD = { bfd: 1000 };

/**
 * Registers a test of servers that announce an address, none of them started.
 * Routers are patient with each other, unless the options say otherwise.
 *
 * @param missing What is missing besides a lab and its routing daemons, null
 * for each thing that is there.
 */
export function bgpTest(
  name: string,
  tag: string,
  missing: readonly (string | null)[],
  options: BgpNetworkOptions,
  body: (lab: BgpLab) => Promise<void>,
): void {
  const programs = [options.routing, ...options.servers ?? []];
  const without = programs.map((program) => program.missing());
  const needed = [...whyNoRouter(), ...without, ...missing];
  testUnless(needed, name, async () => {
    await using lab = await BgpLab.open(`${tag}-${Deno.pid}`, {
      ...PATIENT_BFD,
      ...options,
    });
    await body(lab);
  });
}

/** What it takes for a host between others. */
function whyNoRouter(): readonly (string | null)[] {
  return [whyNoLab(), missingCommand("ping"), missingCommand("sysctl")];
}
