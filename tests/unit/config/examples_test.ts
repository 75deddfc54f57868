import { strict as assert } from "node:assert";
import { certificateFile } from "../../../lab/certificates.ts";
import {
  checkConfigs,
  readCheckCommandLine,
} from "../../../src/config/check.ts";
import { readFleetCommandLine } from "../../../src/config/fleet.ts";
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

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, folder));
}

/** Lines of a file that stand in the comment of another one. */
function inComment(text: string): string {
  const lines = text.match(/^# {3}[a-z-]+: .*$/gm) ?? [];
  return lines.map((line) => `${line.slice(4)}\n`).join("");
}

const EXAMPLES = [
  ...Array.from(Deno.readDirSync(folder), ({ name }) => [name, read(name)]),
  ["in the comment of anycast.yaml", inComment(read("anycast.yaml"))],
] as const;

for (const [name = "", text = ""] of EXAMPLES) {
  Deno.test(`the example ${name} of the package has no fault`, () => {
    assert.match(text, /^[a-z-]+: /m);
    const path = `/etc/anytun/${name.replaceAll(" ", "-")}`;
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

Deno.test("whoever adds clients to a fleet can do so with the example operator.yaml", () => {
  const path = "/etc/anytun/operator.yaml";
  const text = read("operator.yaml");
  // It shows how, in its comment.
  const argv = (text.match(/^# +anytun fleet (list .*)$/m)?.[1] ?? "").split(
    " ",
  );
  const files = fakeHostFiles({ ...FILES, [path]: { text } });
  const line = readFleetCommandLine(argv, RUNTIME, files);
  assert.equal(line.kind, "run", JSON.stringify(line));
  assert.deepEqual(line.warnings, []);
});
