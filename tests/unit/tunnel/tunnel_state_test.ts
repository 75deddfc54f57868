import assert from "node:assert/strict";
import { StateError, Tunnel, type TunnelOptions } from "../../../mod.ts";

async function withFolder(
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await body(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** No kernel has a device of this name. */
function withoutDevice(stateDir: string): TunnelOptions {
  return { passphrase: "only an example", stateDir, device: { name: "a/b" } };
}

/** What this process still has of a folder: descriptors and memory. */
async function heldOf(path: string): Promise<readonly string[]> {
  const fds = Array.from(
    Deno.readDirSync("/proc/self/fd"),
    ({ name }) => name,
  );
  const links = await Promise.all(
    fds.map((fd) => Deno.readLink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  const maps = (await Deno.readTextFile("/proc/self/maps")).split("\n");
  return [...links, ...maps].filter((held) => held.includes(path));
}

Deno.test("a tunnel refuses a state folder that others may write to, by an error of its own", () =>
  withFolder(async (path) => {
    await Deno.chmod(path, 0o777);
    const tunnel = new Tunnel(withoutDevice(path));
    const failures: unknown[] = [];
    tunnel.addEventListener("failed", ({ error }) => failures.push(error));
    const error = await tunnel.start().then(
      () => assert.fail("it has started"),
      (error) => error,
    );
    assert.ok(error instanceof StateError);
    assert.equal(error.path, path);
    assert.match(error.message, /others may write.*chmod 700 \(stateDir\)$/);
    assert.deepEqual(failures, [error]);
    await assert.rejects(tunnel.finished, StateError);
  }));

Deno.test("a tunnel does not make the folder that its state folder would be in", () =>
  withFolder(async (path) => {
    const tunnel = new Tunnel(withoutDevice(`${path}/no/folder`));
    await assert.rejects(tunnel.start(), {
      name: "StateError",
      message: /Cannot make the folder '.*\/no\/folder'/,
    });
  }));

Deno.test("a tunnel that cannot start lets go of its state folder", () =>
  withFolder(async (path) => {
    const tunnel = new Tunnel(withoutDevice(`${path}/state`));
    await assert.rejects(tunnel.start(), { name: "TunTapError" });
    assert.ok(Deno.statSync(`${path}/state/accepted-0`).isFile);
    assert.deepEqual(await heldOf(path), []);
  }));
