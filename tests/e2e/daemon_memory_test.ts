import assert from "node:assert/strict";
import { clientsFile } from "../../lab/clients.ts";
import { ProcView, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { asBinary, OUR_PROGRAMS, type OurProgram } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import type { LabProcess } from "../../lab/process.ts";
import { until } from "../../lab/until.ts";

/** Deno 2.7 needs 20 MiB more than 2.9; the binary of the tests is of 2.7. */
const NEWER = Number(Deno.version.deno.split(".")[1]) >= 9;

/** Mebibytes of VmRSS. */
interface Limits {
  readonly tunnel: number;
  readonly control: number;
}

function limitsOf(program: OurProgram): Limits {
  if (program === asBinary) return { tunnel: 85, control: 55 };
  return NEWER ? { tunnel: 80, control: 55 } : { tunnel: 100, control: 65 };
}

/** Longer than until the second time that a daemon drops what it can. */
const SECONDS = 60;

async function comesBelow(
  daemon: LabProcess,
  mebibytes: number,
): Promise<void> {
  await until(`it has ${mebibytes} MiB at most`, SECONDS, () => {
    const [kibibytes] = new ProcView(daemon.pid).status("VmRSS");
    return Number(kibibytes) <= mebibytes * 1024;
  });
}

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing } = program;
  const limits = limitsOf(program);

  labTest(
    `anytun ${name} gives back what it needed to start, in a jail too`,
    `d-mem${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      await using daemon = startDaemon(left, [
        ...["-D", "-d", "tun7", "-E", "x", "-u", "nobody", "-C", folder.path],
      ], { program });
      await daemon.line(/dropped privileges/);
      await comesBelow(daemon, limits.tunnel);
      assert.equal((await daemon.stop()).code, 0);
    },
  );

  labTest(
    `anytun-controld ${name} gives back what it needed to start`,
    `d-memc${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const file = folder.file("clients");
      await Deno.writeTextFile(
        file,
        await clientsFile([{ mux: 5, passphrase: "x", networks: [] }]),
      );
      const socket = `unix:${folder.file("control")}`;
      await using daemon = startDaemon(
        left,
        ["controld", "-D", "-f", file, "-X", socket],
        { program },
      );
      await daemon.line(/sync server listening/);
      await comesBelow(daemon, limits.control);
      assert.equal((await daemon.stop()).code, 0);
    },
  );
}
