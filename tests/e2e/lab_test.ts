import assert from "node:assert/strict";
import { Lab } from "../../lab/lab.ts";
import { whyNoLab } from "../../lab/missing.ts";
import { LabProcess } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { until } from "../../lab/until.ts";

labTest(
  "the hosts of a lab reach each other by IPv4 and IPv6",
  "i-l0",
  [],
  async ({ left, right }) => {
    await left.ping(right.ipv4);
    await right.ping(left.ipv6);
  },
);

labTest(
  "a second lab of the same name is refused and leaves the first one alone",
  "i-l1",
  [],
  async ({ left, right }) => {
    const tag = left.namespace.slice("at-".length, -1);
    await assert.rejects(Lab.open(tag), /Cannot make the network namespaces/);
    await left.ping(right.ipv4);
  },
);

const VICTIM = `
import { Lab } from ${JSON.stringify(import.meta.resolve("../../lab/lab.ts"))};
const lab = await Lab.open("i-victim-" + Deno.pid);
const sleep = lab.left.spawn("sleep", "600");
console.log("sleeping", sleep.pid);
await sleep.ended;
`;

const reason = whyNoLab();

testUnless(
  [reason],
  "a lab whose process is killed vanishes, with all that runs in it",
  async () => {
    const victim = new LabProcess({
      title: "the victim",
      program: Deno.execPath(),
      args: ["eval", VICTIM],
    });
    const sleeping = await victim.line(/^sleeping \d+$/);
    const pid = sleeping.split(" ")[1] ?? "";
    await victim.stop("SIGKILL");

    await until("nothing of it is left", 10, async () => {
      const names = Array.from(Deno.readDirSync("/run/netns"))
        .map(({ name }) => name);
      return !await runs(pid) &&
        !names.some((name) => name.includes(`victim-${victim.pid}`));
    });
  },
);

/**
 * Tells whether a process runs. One that has ended, but that its new parent
 * has not waited for yet, is a zombie and does not run.
 */
async function runs(pid: string): Promise<boolean> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return !/^State:\s+[XZ]/m.test(status);
  } catch {
    return false;
  }
}
