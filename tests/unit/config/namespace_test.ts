import assert from "node:assert/strict";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

function read(name: string) {
  return readAnytun(["--netns", name]);
}

Deno.test("a namespace is a name of 'ip netns', or a path", () => {
  for (
    const [name, path] of [
      ["blue", "/run/netns/blue"],
      ["/proc/7/ns/net", "/proc/7/ns/net"],
    ] as const
  ) {
    assert.equal(runOf(read(name)).options.netns, path);
  }
  for (const wrong of ["..", ".", "a/b", "../x", "a\0b", "/a\0b"]) {
    assert.match(
      faultOf(read(wrong)),
      /a name of 'ip netns', or an absolute path/,
    );
  }
});
