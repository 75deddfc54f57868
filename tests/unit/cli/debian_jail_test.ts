import { strict as assert } from "node:assert";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { makeDebianJail } from "../../../src/cli/debian_jail.ts";

const CONFIG = "/etc/anytun/a/config";

function test(name: string, body: (make: Make, folder: string) => void): void {
  Deno.test(name, () => {
    const libc = openProcessLibc();
    const folder = Deno.makeTempDirSync();
    try {
      const make: Make = (chroot, configFile) =>
        makeDebianJail(libc, { chroot, configFile });
      body(make, folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
      libc.close();
    }
  });
}

type Make = (chroot: string | undefined, configFile?: string) => void;

const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name);

test(
  "the jail of a Debian tunnel is made, with what it is in",
  (make, folder) => {
    for (let times = 0; times < 2; times++) make(`${folder}/a//b/`, CONFIG);
    assert.deepEqual(names(`${folder}/a`), ["b"]);
    assert.equal((Deno.statSync(`${folder}/a/b`).mode ?? 0) & 0o022, 0);
  },
);

test("no other folder is made", (make, folder) => {
  make(undefined, CONFIG);
  make(`${folder}/a`);
  make(`${folder}/a`, "/etc/anytun/a.yaml");
  assert.deepEqual(names(folder), []);
});

test("a jail that cannot be made is an error that names it", (make, folder) => {
  Deno.writeTextFileSync(`${folder}/file`, "");
  assert.throws(
    () => make(`${folder}/file/jail`, CONFIG),
    /Cannot make the folder '.*\/file\/jail' \(--chroot\): .*/,
  );
});
