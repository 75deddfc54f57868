/** Says why no lab can be opened here, or null if one can. */
export function whyNoLab(): string | null {
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") {
    return "Deno runs without -A";
  }
  if (Deno.build.os !== "linux") return "network namespaces need Linux";
  if (Deno.uid() !== 0) return "network namespaces need root";
  return missingCommand("ip") ?? whyNoTun() ?? whyNoNamespace();
}

/** Says why a command can't be run: null if it is on the PATH. */
export function missingCommand(name: string): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => isFile(`${folder}/${name}`))
    ? null
    : `${name} is not installed`;
}

/** Tells whether there is a file of that path. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function whyNoTun(): string | null {
  try {
    return Deno.statSync("/dev/net/tun").isCharDevice
      ? null
      : "/dev/net/tun is not a device";
  } catch {
    return "there is no /dev/net/tun";
  }
}

/** Root of a container may lack the capabilities: only trying tells. */
function whyNoNamespace(): string | null {
  // Test files that run in parallel share one process.
  const name = `at-probe-${crypto.randomUUID()}`;
  const ip = (action: string) =>
    new Deno.Command("ip", { args: ["netns", action, name] }).outputSync();
  const { success, stderr } = ip("add");
  ip("delete");
  if (success) return null;
  return new TextDecoder().decode(stderr).trim() || "ip netns add fails";
}
