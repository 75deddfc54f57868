// Names of daemons that run, in front of the options of programs that ask them.
import { OptionFault } from "./fault.ts";
import type { HelpSection } from "./help.ts";
import { STATUS_FOLDER } from "./status.ts";

/** @throws {OptionFault} if it can be the name of no socket */
export function requireDaemonName(name: string): void {
  const isName = name !== "" && name !== "." && name !== "..";
  if (isName && !name.includes("\0")) return;
  throw new OptionFault(
    `Cannot ask '${name}': it has to be the name of a config file ` +
      "without folder and extension, or the path of a socket",
  );
}

/** @throws {OptionFault} if there are several, or it can be none */
export function oneDaemonName(names: readonly string[]): string | undefined {
  const [name, ...others] = names;
  if (others.length > 0) {
    throw new OptionFault(
      `Cannot take '${others[0]}': one daemon at a time, and that is '${name}'`,
    );
  }
  if (name !== undefined) requireDaemonName(name);
  return name;
}

export const daemonNameSection: HelpSection = {
  title: "Name, in front of the options",
  lines: [
    `vpn        the daemon whose socket is ${STATUS_FOLDER}/vpn.sock`,
    "/run/a.s   the one with this --status-socket",
    `no name    the only one that has a socket in ${STATUS_FOLDER}`,
  ],
};
