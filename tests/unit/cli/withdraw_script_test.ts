import assert from "node:assert/strict";
import { TestFolder } from "../../../lab/daemons.ts";
import { until } from "../../../lab/until.ts";
import { runWithdrawScript } from "../../../src/cli/withdraw_script.ts";
import { fileTest } from "../../fakes/with_libc.ts";

fileTest(
  "a script that withdraws is told so, and how it ends is said",
  async (libc) => {
    using folder = new TestFolder();
    const out = folder.file("out");
    const run = (status: number) => {
      const path = folder.script(
        "tell",
        `echo "$@" $A >${out}; exit ${status}`,
      );
      return runWithdrawScript(libc, { path, args: ["x"], env: { A: "1" } });
    };
    assert.match(await run(0), /^script '\S+ withdraw' returned 0$/);
    assert.equal(Deno.readTextFileSync(out), "withdraw x 1\n");
    await assert.rejects(run(3), /returned 3 \(--announce-script\)$/);
  },
);

fileTest(
  "a script that does not end is ended, with what it waits for",
  async (libc) => {
    using folder = new TestFolder();
    const out = folder.file("out");
    const path = folder.script(
      "tell",
      `trap '' TERM; sleep 600 & echo $! >${out}; wait; sleep 600`,
    );
    await assert.rejects(
      runWithdrawScript(libc, { path, args: [], env: {} }, 1000),
      /was ended after 1 s \(--announce-script\)$/,
    );
    const pid = Deno.readTextFileSync(out).trim();
    await until("its child is gone", 60, () => {
      try {
        return / Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return true;
        throw error;
      }
    });
  },
);
