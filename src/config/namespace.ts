// The option about the network namespace of the device.
import { BadValue, optional } from "./option.ts";

/** Where 'ip netns' keeps those that have a name. */
const FOLDER = "/run/netns/";

/** The value is a path. */
export const namespaceRow = optional({
  group: "Device",
  long: "--netns",
  argument: "name",
  parse: namespacePath,
  help: "make the device in this network namespace, of 'ip netns' or a path " +
    "such as /proc/<pid>/ns/net; the sockets stay in the current one",
});

function namespacePath(text: string): string {
  if (text.startsWith("/") && !text.includes("\0")) return text;
  const isName = text !== "" && !/[/\0]/.test(text) && text !== "." &&
    text !== "..";
  if (isName) return FOLDER + text;
  throw new BadValue("a name of 'ip netns', or an absolute path");
}
