/**
 * What it costs the main thread to have numbers kept as used, since it waits for
 * the disk: a block of one space, which is due for each two million packets of it,
 * and of one in each file at once. `TMPDIR` names a folder on the disk that is
 * meant.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { StateFolder } from "../../ffi/process/state_folder.ts";
import { fileOf } from "../../src/state/number_files.ts";
import { NumberKeeper } from "../../src/state/number_keeper.ts";
import { BLOCK } from "../../src/state/number_store.ts";

const nothing = () => {};
const SILENT = {
  ...{ error: nothing, warning: nothing, notice: nothing },
  ...{ info: nothing, debug: nothing },
};
const SENDER_IDS = [[1], [2], [3], [4]];

function compare(): void {
  const path = Deno.makeTempDirSync({ prefix: "anytun-bench-" });
  addEventListener(
    "unload",
    () => Deno.removeSync(path, { recursive: true }),
  );
  const keeper = new NumberKeeper({
    folder: new StateFolder(openProcessLibc(), path),
    hash,
    bootId: undefined,
    logger: SILENT,
    allowWrap: false,
  });
  keeper.begin(SENDER_IDS);
  const all = spaces();
  // What lies in the common block needs no disk.
  const next = new Map(all.map((space) => [space, 2 * BLOCK]));
  for (const some of [all.slice(0, 1), all]) {
    Deno.bench({ name: `spaces: ${some.length}`, n: 60, warmup: 1 }, () => {
      const requests = some.map((space) => ({
        ...{ space, from: next.get(space) ?? 0, count: BLOCK },
      }));
      keeper.reserve(requests).forEach((range, k) => {
        next.set(some[k] ?? "", range?.end ?? 0);
      });
    });
  }
}

/** One in each of the files. */
function spaces(): readonly string[] {
  const byFile = new Map<string, string>();
  for (let k = 0; byFile.size < 64; k++) {
    const space = hash(Uint8Array.of(k, k >> 8));
    byFile.set(fileOf(space), space);
  }
  return [...byFile.values()];
}

function hash(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("base64");
}

compare();
