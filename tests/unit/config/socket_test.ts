import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { fakeSecretFiles } from "../../fakes/secret_files.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };

function read(...argv: string[]) {
  const line = ["-D", "-E", "x", ...argv];
  return readAnytunCommandLine(line, RUNTIME, fakeSecretFiles());
}

function sockets(...argv: string[]) {
  const result = read(...argv);
  assert.equal(result.kind, "run", JSON.stringify(result));
  return result.options.sockets;
}

Deno.test("a mark is decimal or hexadecimal, and 0 is none", () => {
  assert.deepEqual(sockets(), { mark: 0, device: undefined });
  assert.equal(sockets("--mark", "81").mark, 81);
  assert.equal(sockets("--mark", "0xCA6C").mark, 0xca6c);
  assert.equal(sockets("--mark", "0xffffffff").mark, 0xffffffff);
  for (const wrong of ["4294967296", "0x", "0x1ffffffff", "1e3", "a"]) {
    const result = read("--mark", wrong);
    assert.equal(result.kind, "error", wrong);
    assert.match(result.stderr, /0xffffffff/);
  }
});

Deno.test("a device to bind to has a name that the kernel takes", () => {
  assert.equal(sockets("--bind-device", "eth0.7").device, "eth0.7");
  for (const wrong of ["a/b", "a:b", "..", "a b", "sixteencharacter"]) {
    const result = read("--bind-device", wrong);
    assert.equal(result.kind, "error", wrong);
    assert.match(result.stderr, /name of a network device/);
  }
});
