import { strict as assert } from "node:assert";
import type { ProcessLibc } from "../../../ffi/process/libc.ts";
import { genkey, writeSecrets } from "../../../src/cli/genkey.ts";
import { hostFiles } from "../../../src/cli/host_files.ts";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { parseChainFile } from "../../../src/satp/key_chain_file.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };
const SECRETS = { key: "00ff", salt: "11ee" };

const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();

fileTest(
  "genkey writes files that anytun reads, and others cannot",
  (libc, folder) => {
    const files = [
      ...["--key-file", `${folder}/key`, "--salt-file", `${folder}/salt`],
      ...["--kd-prf", "aes-ctr-256"],
    ];
    assert.equal(genkey(files, libc), 0);
    for (const [name, digits] of [["key", 64], ["salt", 28]] as const) {
      const path = `${folder}/${name}`;
      assert.match(
        Deno.readTextFileSync(path),
        new RegExp(`^[0-9a-f]{${digits}}\\n$`),
      );
      assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    }
    const read = readAnytunCommandLine(
      ["-D", "-w", "64", ...files],
      RUNTIME,
      hostFiles(libc, new Map()),
    );
    assert.equal(read.kind, "run", JSON.stringify(read));
    assert.deepEqual(read.warnings, []);
  },
);

fileTest(
  "genkey leaves a file alone that is there, and none of its own behind",
  (libc, folder) => {
    const files = { key: `${folder}/key`, salt: `${folder}/salt` };
    Deno.writeTextFileSync(files.salt, "old");
    assert.throws(
      () => writeSecrets(libc, files, SECRETS),
      {
        message:
          `Cannot make '${files.salt}': something has this name, and is ` +
          "left alone (--salt-file)",
      },
    );
    assert.deepEqual(names(folder), ["salt"]);
    assert.equal(Deno.readTextFileSync(files.salt), "old");

    Deno.renameSync(files.salt, files.key);
    assert.throws(() => writeSecrets(libc, files, SECRETS), /\(--key-file\)$/);
    assert.deepEqual(names(folder), ["key"]);
  },
);

fileTest("genkey does not follow a symbolic link", (libc, folder) => {
  const files = { key: `${folder}/key`, salt: `${folder}/salt` };
  Deno.symlinkSync(`${folder}/elsewhere`, files.key);
  assert.throws(() => writeSecrets(libc, files, SECRETS), /\(--key-file\)$/);
  assert.deepEqual(names(folder), ["key"]);
});

fileTest(
  "genkey leaves nothing where the folder is missing, or full",
  (libc, folder) => {
    const files = { key: `${folder}/key`, salt: `${folder}/none/salt` };
    assert.throws(
      () => writeSecrets(libc, files, SECRETS),
      /^Error: Cannot make '.*\/none\/salt': .*ENOENT.* \(--salt-file\)$/,
    );
    assert.deepEqual(names(folder), []);

    const full: ProcessLibc = {
      ...libc,
      symbols: { ...libc.symbols, write: () => -1 },
    };
    const here = { ...files, salt: `${folder}/salt` };
    assert.throws(() => writeSecrets(full, here, SECRETS), /Cannot write '/);
    assert.deepEqual(names(folder), []);
  },
);

fileTest(
  "genkey writes a chain that anytun reads, and others cannot",
  (libc, folder) => {
    const path = `${folder}/chain`;
    const argv = ["--chain", "--interval", "2h", "--chain-file", path];
    assert.equal(genkey(argv, libc), 0);
    const { interval, epoch, key } = parseChainFile(Deno.readFileSync(path));
    assert.equal(interval, 7200);
    assert.ok(Math.abs(epoch - Date.now() / 7_200_000) <= 1);
    assert.ok(key.some((byte) => byte !== 0));
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    const read = () =>
      readAnytunCommandLine(
        ["-D", "-w", "64", "--key-chain", path],
        RUNTIME,
        hostFiles(libc, new Map()),
      );
    const result = read();
    assert.equal(result.kind, "run", JSON.stringify(result));
    assert.deepEqual(result.warnings, []);
    assert.deepEqual(names(folder), ["chain"]);

    Deno.chmodSync(path, 0o640);
    assert.equal(read().kind, "error");
  },
);
