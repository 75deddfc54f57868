// Options that are read again, by the same arguments and from the same files.
import type { CommandLine } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import type { InForce, Reading } from "./reading.ts";

/**
 * Reads the same arguments, and the files that they name, once more: the config
 * file, those with secrets, and certificates. The arguments are those of the
 * start, secrets among them included, and relative paths lead to where they led
 * then. What standard input said at the start is what it says.
 *
 * Nothing is kept of one reading for the next: it gives all options, or throws
 * and changes nothing. Options that are not live stay as they are, so that whoever
 * gets the result can take all of it; what would take effect later is checked, too.
 * Files are read with the rights of now: where a daemon has
 * become another user (-u) or is in a jail (-C), one of them may be out of reach,
 * and the fault says which one, and what to do about it.
 *
 * @throws {OptionFault} what is at fault, for people: it never shows a secret
 */
export type ReadAgain<O> = (inForce: InForce) => Reading<O>;

interface Confined {
  readonly username: string | undefined;
  readonly chroot: string | undefined;
}

/**
 * @param present Options that the daemon has started with
 * @param read Reads arguments and files
 */
export function readingAgain<O extends Confined>(
  present: Confined,
  read: (inForce: InForce) => CommandLine<O>,
): ReadAgain<O> {
  return (inForce) => {
    const commandLine = read(inForce);
    if (commandLine.kind === "run") return commandLine;
    // The arguments were no call for help at the start.
    if (commandLine.kind !== "error") throw new OptionFault("no options");
    const { stderr, isOutOfReach } = commandLine;
    const more = isOutOfReach ? hints(present) : [];
    throw new OptionFault([stderr.trimEnd(), ...more].join("; "));
  };
}

function hints({ username, chroot }: Confined): readonly string[] {
  return [
    ...(chroot === undefined ? [] : [
      `files outside of the jail '${chroot}' (--chroot) are out of reach: ` +
      "they need a copy in it, or a restart of the daemon",
    ]),
    ...(username === undefined ? [] : [
      `the daemon is user '${username}' now (--username): files that this ` +
      "user cannot read need chgrp and chmod 640, or a restart of the daemon",
    ]),
  ];
}
