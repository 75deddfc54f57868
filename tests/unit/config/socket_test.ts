import assert from "node:assert/strict";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

function sockets(...argv: string[]) {
  return runOf(readAnytun(argv)).options.sockets;
}

Deno.test("a mark is decimal or hexadecimal, and 0 is none", () => {
  assert.deepEqual(sockets(), { mark: 0, device: undefined });
  assert.equal(sockets("--mark", "81").mark, 81);
  assert.equal(sockets("--mark", "0xCA6C").mark, 0xca6c);
  assert.equal(sockets("--mark", "0xffffffff").mark, 0xffffffff);
  for (const wrong of ["4294967296", "0x", "0x1ffffffff", "1e3", "a"]) {
    assert.match(faultOf(readAnytun(["--mark", wrong])), /0xffffffff/);
  }
});

Deno.test("a device to bind to has a name that the kernel takes", () => {
  assert.equal(sockets("--bind-device", "eth0.7").device, "eth0.7");
  for (const wrong of ["a/b", "a:b", "..", "a b", "sixteencharacter"]) {
    const fault = faultOf(readAnytun(["--bind-device", wrong]));
    assert.match(fault, /name of a network device/);
  }
});
