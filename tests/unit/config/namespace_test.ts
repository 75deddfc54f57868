import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { fakeSecretFiles } from "../../fakes/secret_files.ts";

function read(name: string) {
  const line = ["-D", "-E", "x", "--netns", name];
  const runtime = { deno: "2.9.6", v8: "15.0" };
  return readAnytunCommandLine(line, runtime, fakeSecretFiles());
}

Deno.test("a namespace is a name of 'ip netns', or a path", () => {
  for (
    const [name, path] of [
      ["blue", "/run/netns/blue"],
      ["/proc/7/ns/net", "/proc/7/ns/net"],
    ] as const
  ) {
    const result = read(name);
    assert.equal(result.kind, "run");
    assert.equal(result.options.netns, path);
  }
  for (const wrong of ["..", ".", "a/b", "../x", "a\0b", "/a\0b"]) {
    const result = read(wrong);
    assert.equal(result.kind, "error", wrong);
    assert.match(result.stderr, /a name of 'ip netns', or an absolute path/);
  }
});
