// Things outside of its options that a start would look for, and not find.
import { announceScriptFault } from "./announce.ts";
import type { HostFiles } from "./host_files.ts";

type Look = Pick<HostFiles, "hasGroup" | "hasUser" | "kindOf">;

/**
 * Why a start would be refused, in its words. Nothing is opened: what can be seen
 * of files without that is all that counts.
 * @param options Of any program
 */
export function faultOutside(
  options: unknown,
  files: Look,
): string | undefined {
  return strangerIn(options, files) ?? missingJail(options, files) ??
    missingNamespace(options, files) ?? missingScript(options, files) ??
    missingAnnounceScript(options, files);
}

function strangerIn(options: unknown, files: Look): string | undefined {
  const user = textIn(options, "username");
  if (user === undefined) return undefined;
  if (!files.hasUser(user)) return `unknown user ${user} (--username)`;
  const group = textIn(options, "groupname");
  return group === undefined || files.hasGroup(group)
    ? undefined
    : `unknown group ${group} (--groupname)`;
}

/** Debian's launcher makes the jail of its tunnels, and so does a start. */
function missingJail(options: unknown, files: Look): string | undefined {
  const jail = textIn(options, "chroot");
  if (jail === undefined) return undefined;
  const kind = files.kindOf(jail);
  const isDebians = textIn(options, "configFile")?.endsWith("/config");
  if (kind === "none" && isDebians) return undefined;
  return kind === "folder" || kind === "unseen"
    ? undefined
    : `Cannot enter the jail (--chroot): there is no folder '${jail}'`;
}

function missingNamespace(options: unknown, files: Look): string | undefined {
  const path = textIn(options, "netns");
  if (path === undefined || files.kindOf(path) !== "none") return undefined;
  return `Cannot use the network namespace ${path} (--netns): there is none ` +
    "of that name; 'ip netns add' makes one";
}

/** One that need not succeed is none that a start waits for. */
function missingScript(options: unknown, files: Look): string | undefined {
  const postUp = partOf(options, "postUp");
  const script = textIn(postUp, "script");
  if (script === undefined || partOf(postUp, "required") !== true) {
    return undefined;
  }
  const kind = files.kindOf(script);
  if (kind === "program" || kind === "unseen") return undefined;
  const why = kind === "none" ? "is not there" : "is no program";
  return `script '${script}' ${why} (--post-up-required)`;
}

function missingAnnounceScript(
  options: unknown,
  files: Look,
): string | undefined {
  const script = textIn(partOf(options, "announce"), "script");
  if (script === undefined) return undefined;
  const kind = files.kindOf(script);
  // Whoever checks may see less than whoever starts.
  return kind === "unseen" ? undefined : announceScriptFault(script, kind);
}

function textIn(options: unknown, key: string): string | undefined {
  const text = partOf(options, key);
  return typeof text === "string" ? text : undefined;
}

function partOf(options: unknown, key: string): unknown {
  return typeof options === "object" && options !== null
    ? Reflect.get(options, key)
    : undefined;
}
