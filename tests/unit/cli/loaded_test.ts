import { strict as assert } from "node:assert";

const root = new URL("../../../", import.meta.url);

/** What a module loads before it runs; what it imports later is not in it. */
function loadedBy(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const at = new URL(path, root);
  const statements = Deno.readTextFileSync(at).matchAll(
    /^(?:import|export)\b(?! type)[^;]*?from\s+"([^"]+)"/gm,
  );
  for (const [, name = ""] of statements) {
    if (!name.startsWith(".")) found.add(name);
    // Others are in the text of the status page.
    if (!name.endsWith(".ts")) continue;
    loadedBy(new URL(name, at).pathname.slice(root.pathname.length), found);
  }
  return found;
}

/**
 * A module costs a third of a millisecond of each start, and 100 KiB. Those for
 * few are imported where an option asks for them, before the sandbox closes.
 */
const ON_DEMAND = [
  ["js-yaml", "src/cli/start_daemon.ts"],
  ["src/config/config_file.ts", "src/cli/start_daemon.ts"],
  ["src/daemon/announcement.ts", "src/daemon/anytun.ts"],
  ["ffi/tuntap/anycast_device.ts", "src/daemon/system_world.ts"],
  ["src/config/controld.ts", "src/daemon/start_limits.ts"],
  ["src/daemon/kernel_routes.ts", "src/daemon/device_services.ts"],
  ["src/daemon/key_rotation.ts", "src/daemon/own_connection.ts"],
  ["src/daemon/sync_member.ts", "src/daemon/cluster_services.ts"],
  ["src/sync/server.ts", "src/daemon/cluster_services.ts"],
  ["src/sync/client.ts", "src/daemon/cluster_services.ts"],
] as const;

for (const [module, importer] of ON_DEMAND) {
  Deno.test(`a tunnel that does not need ${module} does not load it`, () => {
    const loaded = loadedBy("src/cli/anytun.ts");
    assert.ok(loaded.has(importer));
    assert.ok(!loaded.has(module));
  });
}

Deno.test("what tells who loads what sees modules and packages", () => {
  assert.ok(loadedBy("src/config/config_file.ts").has("js-yaml"));
  assert.ok(loadedBy("src/daemon/sync_member.ts").has("src/sync/server.ts"));
});
