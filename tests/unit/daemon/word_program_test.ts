import assert from "node:assert/strict";
import { writeDescriptor } from "../../../ffi/process/file.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { TestFolder } from "../../../lab/daemons.ts";
import { until } from "../../../lab/until.ts";
import { listenForWords } from "../../../src/daemon/system_programs.ts";

Deno.test("a script is run for the two words that there are, and for nothing else that a daemon may say", async () => {
  const libc = openProcessLibc();
  using folder = new TestFolder();
  const path = folder.script("announce", 'echo "ran $*"');
  {
    using program = listenForWords(libc, { path, args: ["x"], env: {} });
    const words = ["reboot", "announce", "announce ", "-n", "", "withdraw"];
    const text = new TextEncoder().encode(`${words.join("\n")}\n`);
    writeDescriptor(libc, program.words, "script", text);
    const lines: string[] = [];
    await until(() => `it has run: ${lines}`, 60, () => {
      lines.push(...program.readLines() ?? []);
      return lines.includes("ran withdraw x");
    });
    assert.deepEqual(lines, ["ran announce x", "ran withdraw x"]);
    program.say("end");
    await until("it ends", 60, () => program.readEnds() === undefined);
  }
  libc.close();
});
