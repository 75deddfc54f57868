import assert from "node:assert/strict";
import { writeDescriptor } from "../../../ffi/process/file.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { TestFolder } from "../../../lab/daemons.ts";
import { until } from "../../../lab/until.ts";
import {
  RUN_ENDED,
  type WordEnd,
} from "../../../src/daemon/process_control.ts";
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

Deno.test("a script that hangs is ended, so that it is run for the next word", async () => {
  const libc = openProcessLibc();
  using folder = new TestFolder();
  const path = folder.script(
    "announce",
    'trap "" HUP; if [ "$1" = announce ]; then sleep 600; fi; echo "ran $1"',
  );
  {
    const start = { path, args: [], env: {} };
    using program = listenForWords(libc, start, 1);
    program.say("announce");
    program.say("withdraw");
    const ends: WordEnd[] = [];
    await until(() => `both have ended: ${ends}`, 60, () => {
      ends.push(...program.readEnds() ?? []);
      return ends.length === 2;
    });
    assert.deepEqual(ends, [
      { word: "announce", status: RUN_ENDED },
      { word: "withdraw", status: 0 },
    ]);
    program.say("end");
  }
  libc.close();
});

Deno.test("a script is not run for a word that it was told last, and nobody hears of that", async () => {
  const libc = openProcessLibc();
  using folder = new TestFolder();
  const path = folder.script("announce", "exit 3");
  {
    using program = listenForWords(libc, { path, args: [], env: {} });
    const words = ["withdraw", "withdraw", "announce", "withdraw", "withdraw"];
    for (const word of [...words, "end"]) program.say(word);
    const ends: WordEnd[] = [];
    await until("it ends", 60, () => {
      const some = program.readEnds();
      ends.push(...some ?? []);
      return some === undefined;
    });
    assert.deepEqual(
      ends,
      ["withdraw", "announce", "withdraw"].map((word) => ({ word, status: 3 })),
    );
  }
  libc.close();
});
