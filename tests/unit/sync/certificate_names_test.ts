import { strict as assert } from "node:assert";
import { certificateFile } from "../../../lab/certificates.ts";
import { hostNamesIn, namesHost } from "../../../src/sync/certificate_names.ts";
import { SyncError } from "../../../src/sync/error.ts";

function der(name: string): Uint8Array {
  const pem = Deno.readTextFileSync(certificateFile(`${name}.pem`));
  const text = pem.replaceAll(/-----.*-----|\s/g, "");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function isNamed(certificate: string, host: string): boolean {
  return namesHost(hostNamesIn(der(certificate)), host);
}

Deno.test("a certificate names the hosts of its subjectAltName, however they are written", () => {
  for (
    const host of [
      ...["control.example", "Control.Example", "control.example."],
      ...["192.0.2.1", "2001:db8::1", "2001:0DB8:0::1"],
    ]
  ) assert.ok(isNamed("named", host), host);
  assert.ok(isNamed("alice", "127.0.0.1"));
});

Deno.test("neither a CN, nor a part of a name, nor a name for many is a host", () => {
  for (
    const host of [
      ...["cn.example", "example", "a.control.example", "a.many.example"],
      ...["false.example", "urn:x", "", "192.0.2.2", "::ffff:192.0.2.1"],
    ]
  ) assert.ok(!isNamed("named", host), host);
  assert.ok(!isNamed("alice", "alice"));
  assert.ok(!isNamed("shared", "cluster"), "it has no subjectAltName");
});

Deno.test("what is no certificate is refused, wherever it breaks off", () => {
  const whole = der("named");
  for (let size = 0; size < whole.length; size++) {
    assert.throws(() => hostNamesIn(whole.subarray(0, size)), SyncError);
  }
});
