import { strict as assert } from "node:assert";
import { withHint } from "../../../src/fleet/hints.ts";
import { sourceRows } from "../../../src/config/source.ts";

/** What etcd 3.4.23 and the runtime say, and the option to look at. */
const REFUSALS = [
  ["invalid peer certificate: UnknownIssuer", "--source-ca"],
  ["invalid peer certificate: NotValidForName", "--source"],
  ["received fatal alert: BadCertificate", "--source-cert"],
  ["received fatal alert: CertificateRequired", "--source-cert"],
  [
    "etcdserver: authentication failed, invalid user ID or password",
    "--source-user",
  ],
  ["etcdserver: permission denied", "--source-user"],
] as const;

Deno.test("of a store that refuses it is told which option to look at", () => {
  const options = Object.values(sourceRows).map(({ long }) => long);
  for (const [text, option] of REFUSALS) {
    const hinted = withHint(text);
    assert.ok(hinted.startsWith(`${text}; `), hinted);
    assert.equal(/--[a-z-]+/.exec(hinted)?.[0], option);
    assert.ok(options.includes(option));
  }
  assert.equal(withHint("no space left"), "no space left");
});
