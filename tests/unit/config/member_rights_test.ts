import { strict as assert } from "node:assert";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { readingAgain } from "../../../src/config/read_again.ts";
import { certificateFile } from "../../../lab/certificates.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

const FILES = Object.fromEntries(
  ["alice.pem", "alice.key", "ca.pem"].map((name) => [
    name,
    { text: Deno.readTextFileSync(certificateFile(name)) },
  ]),
);
const PAIR = ["--sync-tls-cert", "alice.pem", "--sync-tls-key", "alice.key"];
const CA = ["--sync-tls-ca", "ca.pem"];
const LEARN = ["--member-rights", "learn"];
const CONTROL = ["-X", "192.0.2.1"];

function read(...argv: string[]) {
  const line = ["-D", "-s", "1", "-M", "192.0.2.2", ...argv];
  return readAnytunCommandLine(line, RUNTIME, fakeHostFiles(FILES));
}

function warnings(...argv: string[]): string {
  return runOf(read(...argv)).warnings.join("\n");
}

Deno.test("members state all, unless it is said that they only learn", () => {
  const rights = (...argv: string[]) =>
    runOf(read(...argv)).options.cluster.memberRights;
  assert.equal(rights(), "all");
  assert.equal(rights("--member-rights", "all"), "all");
  assert.equal(rights(...LEARN, ...CONTROL), "learn");
  assert.match(
    faultOf(read("--member-rights", "learnt", ...CONTROL)),
    /--member-rights needs all or learn/,
  );
});

Deno.test("where members only learn, somebody else has to state what there is", () => {
  assert.equal(
    faultOf(read(...LEARN)),
    "--member-rights learn needs --control-host (-X): with it nobody else " +
      "tells of connections, keys and routes\n",
  );
});

Deno.test("a HUP that leaves nobody to state anything changes nothing, and says so", () => {
  const lines = [...CONTROL];
  const root = { username: undefined, chroot: undefined };
  const again = readingAgain(root, () => read(...LEARN, ...lines));
  const before = { values: {}, isLive: () => true };
  assert.equal(again(before).options.cluster.memberRights, "learn");
  lines.length = 0;
  assert.throws(() => again(before), {
    message: /^--member-rights learn needs --control-host/,
  });
});

Deno.test("a control daemon whose certificate everybody has is none", () => {
  assert.match(
    faultOf(read(...LEARN, ...CONTROL, ...PAIR)),
    /^--member-rights learn needs --sync-tls-ca, and a certificate for each host: with --sync-tls-cert alone/,
  );
  assert.equal(warnings(...LEARN, ...CONTROL, ...PAIR, ...CA), "");
  assert.equal(warnings(...LEARN, "-X", "unix:/run/c", ...PAIR), "");
  assert.equal(warnings(...CONTROL, ...PAIR), "");
});

Deno.test("a control daemon on another host without TLS is warned of, where members only learn", () => {
  assert.match(
    warnings(...LEARN, "-X", "unix:/run/c,192.0.2.1"),
    /^--member-rights learn: 192\.0\.2\.1:2323 \(--control-host\) is reached without TLS, .*: add --sync-tls-cert and --sync-tls-ca, or use unix:$/,
  );
  assert.equal(warnings(...LEARN, "-X", "unix:/run/c,127.0.0.1"), "");
  assert.equal(warnings(...CONTROL), "");
});
