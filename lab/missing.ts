/** Says why no program can be run here, or null if programs can. */
export function whyNoPrograms(): string | null {
  const { state } = Deno.permissions.querySync({ name: "run" });
  return state === "granted" ? null : "Deno runs without -A";
}

/** Says why no lab can be opened here, or null if one can. */
export function whyNoLab(): string | null {
  const withoutPrograms = whyNoPrograms();
  if (withoutPrograms !== null) return withoutPrograms;
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
