import assert from "node:assert/strict";
import { TestFolder } from "../../lab/daemons.ts";
import { PeerPrograms, versionIn } from "./peers.ts";

function unpack(root: TestFolder, name: string, text = ""): string {
  const path = root.file(name);
  Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  Deno.writeTextFileSync(path, text, { mode: 0o755 });
  return Deno.realPathSync(path);
}

Deno.test("without a folder programs are those on the PATH", async () => {
  const peers = new PeerPrograms();
  assert.deepEqual(peers.command("openvpn"), ["openvpn"]);
  assert.deepEqual(await peers.presence(["no-such-program"], "--version"), {
    missing: "no-such-program is not installed",
  });
});

Deno.test("an unpacked program runs with the libraries beside it", () => {
  using root = new TestFolder();
  const program = unpack(root, "usr/sbin/openvpn");
  const loader = unpack(root, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  const libraries = loader.replace(/\/[^/]*$/, "");
  const peers = new PeerPrograms(root.path);
  assert.deepEqual(peers.command("openvpn"), [
    ...[loader, "--library-path", libraries],
    program,
  ]);
  assert.deepEqual(peers.command("nebula"), ["nebula"]);
});

Deno.test("an unpacked program without libraries runs by itself", () => {
  using root = new TestFolder();
  const program = unpack(root, "usr/bin/nebula");
  assert.deepEqual(new PeerPrograms(root.path).command("nebula"), [program]);
});

Deno.test("the version of an unpacked program is that of its package", async () => {
  using root = new TestFolder();
  unpack(root, "usr/bin/nebula", "#!/bin/sh\necho nebula 1.2.3\n");
  const version = () =>
    new PeerPrograms(root.path).presence(["nebula"], "-version");
  assert.deepEqual(await version(), { version: "1.2.3" });
  Deno.writeTextFileSync(root.file("versions"), "openvpn 2\nnebula 1.2.4-1\n");
  assert.deepEqual(await version(), { version: "1.2.4-1" });
});

Deno.test("a folder that is not there is refused with its option", () => {
  assert.throws(
    () => new PeerPrograms("/no/such/folder"),
    /--peers: current value is \/no\/such\/folder, expected a folder/,
  );
  assert.throws(() => new PeerPrograms("/etc/passwd"), /expected a folder/);
});

Deno.test("versionIn() finds the number in what programs print", () => {
  const told = [
    "anytun version 0.2.0 (anytun for Deno)",
    "OpenVPN 2.7.8 x86_64-pc-linux-gnu [SSL (OpenSSL)]",
    "wireguard-go v0.0.20250522\n\nUserspace WireGuard daemon",
    "Version: 1.11.0+dfsg",
    "unknown",
  ];
  assert.deepEqual(told.map(versionIn), [
    ...["0.2.0", "2.7.8", "0.0.20250522", "1.11.0+dfsg", "unknown"],
  ]);
});
