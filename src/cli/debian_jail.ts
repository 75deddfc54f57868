// The jail of a Debian tunnel, which the package's launcher makes.
import { Errno } from "../../ffi/errno.ts";
import { cString } from "../../ffi/libc.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";

const MODE = 0o755;
const DEBIAN_FILE = /\/config$/;

interface Jailed {
  readonly chroot: string | undefined;
  readonly configFile?: string | undefined;
}

/**
 * Makes the folder of `chroot`, if there is none, where options come from a file
 * of Debian's package: its launcher does so (CLI section 9). Elsewhere a folder
 * that is not there is a slip of the pen.
 * @throws {SystemError} if it cannot be made
 */
export function makeDebianJail(
  libc: ProcessLibc,
  { chroot, configFile = "" }: Jailed,
): void {
  if (chroot === undefined || !DEBIAN_FILE.test(configFile)) return;
  const ends = [...chroot.matchAll(/[^/](?=\/|$)/g)].map(({ index }) =>
    index + 1
  );
  for (const end of ends) {
    const path = chroot.slice(0, end);
    if (libc.process.mkdir(cString(path), MODE) === 0) continue;
    const error = libc.error(`make the folder '${path}' (--chroot)`, "mkdir");
    if (error.errno !== Errno.EEXIST) throw error;
  }
}
