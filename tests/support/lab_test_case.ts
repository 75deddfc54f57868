import { Lab } from "./lab.ts";
import { missingCommand } from "./peers.ts";

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
  const reason = [whyNoLab(), ...missing].find((why) => why !== null);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    async fn() {
      await using lab = await Lab.open(`${tag}-${Deno.pid}`);
      await body(lab);
    },
  });
}

/** Says why no lab can be opened here, or null if one can. */
export function whyNoLab(): string | null {
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") {
    return "the tests run without the permissions of -A";
  }
  if (Deno.build.os !== "linux") return "network namespaces need Linux";
  if (Deno.uid() !== 0) return "network namespaces need root";
  return missingCommand("ip") ?? missingCommand("ping") ?? whyNoTun() ??
    whyNoNamespace();
}

function whyNoTun(): string | null {
  try {
    return Deno.statSync("/dev/net/tun").isCharDevice
      ? null
      : "/dev/net/tun is not a device";
  } catch {
    return "there is no /dev/net/tun";
  }
}

/** Root of a container may lack the capabilities: only trying tells. */
function whyNoNamespace(): string | null {
  const name = `at-probe-${Deno.pid}`;
  const ip = (action: string) =>
    new Deno.Command("ip", { args: ["netns", action, name] }).outputSync();
  const { success, stderr } = ip("add");
  ip("delete");
  if (success) return null;
  return new TextDecoder().decode(stderr).trim() || "ip netns add fails";
}
