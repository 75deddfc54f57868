import assert from "node:assert/strict";
import { CAP } from "../../../ffi/flags.ts";
import { scriptCommand } from "../../../lab/host.ts";
import { missingCommand } from "../../../lab/missing.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const KEPT = 2 ** CAP.DAC_READ_SEARCH + 2 ** CAP.NET_ADMIN;

interface Ends {
  readonly hasConfinedFiles: boolean;
  readonly needed: string;
  readonly main: string;
  readonly pool: string;
  readonly worker: string;
  readonly threads: readonly string[];
}

/** What a daemon in the background says of itself. */
async function ends(before: readonly string[]): Promise<Ends> {
  const folder = Deno.makeTempDirSync();
  const other = Deno.makeTempDirSync();
  try {
    const [command = "", ...args] = [
      ...before,
      ...scriptCommand("limited_program.ts", ["-A"]),
    ];
    const { code, stderr } = await new Deno.Command(command, {
      args: [...args, folder, other],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return JSON.parse(Deno.readTextFileSync(`${folder}/ends`));
  } finally {
    for (const path of [folder, other]) {
      Deno.removeSync(path, { recursive: true });
    }
  }
}

Deno.test("in the background no thread of a daemon, the runtime's neither, changes other files than it needs", async () => {
  const { hasConfinedFiles, needed, ...others } = await ends([]);
  assert.equal(needed, "written");
  if (!hasConfinedFiles) return; // a kernel without Landlock
  const { main, pool, worker } = others;
  const refused = "PermissionDenied";
  assert.deepEqual([main, pool, worker], [refused, refused, refused]);
});

const missing = Deno.uid() === 0
  ? missingCommand("setpriv")
  : "only root has capabilities to drop";

testUnless(
  [missing],
  "in the background all threads of root's daemon have the capabilities that it takes, inherit no others, and gain none",
  async () => {
    const others = "+sys_admin,+sys_module";
    const { threads } = await ends([
      ...["setpriv", `--inh-caps=${others}`, `--ambient-caps=${others}`],
    ]);
    const [areMany, ...sets] = threads;
    assert.equal(areMany, "true");
    assert.deepEqual(sets, [[0, KEPT, KEPT, KEPT, 0, 1].join()]);
  },
);
