import { strict as assert } from "node:assert";
import { certificateFile } from "../../../lab/certificates.ts";
import {
  checkConfigs,
  readCheckCommandLine,
} from "../../../src/config/check.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

const CREDENTIALS = "/run/credentials/anytun";
const folder = new URL("../../../packaging/examples/", import.meta.url);

const certificate = (name: string) => ({
  text: Deno.readTextFileSync(certificateFile(name)),
});

/** What whoever starts the examples as the units do has. */
const FILES = {
  "/etc/anytun/tls/server1.pem": certificate("alice.pem"),
  "/etc/anytun/tls/server1.key": certificate("alice.key"),
  "/etc/anytun/tls/ca.pem": certificate("ca.pem"),
  "/etc/anytun/member.pem": certificate("alice.pem"),
  "/etc/anytun/member.key": certificate("alice.key"),
  "/etc/anytun/ca.pem": certificate("ca.pem"),
  "/etc/anytun/controld.password": { text: "secret" },
  "/etc/anytun/operator.password": { text: "secret" },
  [`${CREDENTIALS}/key`]: { text: "00112233445566778899aabbccddeeff" },
  [`${CREDENTIALS}/salt`]: { text: "00112233445566778899aabbccdd" },
};

for (const { name } of Deno.readDirSync(folder)) {
  Deno.test(`the example ${name} of the package has no fault`, () => {
    const text = Deno.readTextFileSync(new URL(name, folder));
    const path = `/etc/anytun/${name}`;
    const files = fakeHostFiles(
      { ...FILES, [path]: { text } },
      CREDENTIALS,
    );
    const line = readCheckCommandLine([path, "-D"], RUNTIME);
    assert.equal(line.kind, "run");
    const [checked] = checkConfigs(line.options, RUNTIME, files);
    assert.equal(checked?.fault, undefined);
    const others = checked?.warnings.filter((it) =>
      !/window size is 0/.test(it)
    );
    assert.deepEqual(others, []);
  });
}
