/**
 * The file with the process id (CLI section 3).
 *
 * @module
 */
import type { OutputFile, ProcessControl } from "./process_control.ts";

/**
 * Opens the file while there are the rights to; it is to be written once they
 * are gone.
 *
 * @param cleanup Closes it
 * @returns undefined if there is to be none
 * @throws if it cannot be opened
 */
export function openPidFile(
  { pidFile }: { readonly pidFile: string | undefined },
  control: ProcessControl,
  cleanup: DisposableStack,
): OutputFile | undefined {
  if (pidFile === undefined) return undefined;
  try {
    const file = control.openEmptyFile(pidFile);
    cleanup.defer(() => file.close());
    return file;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `can't open pid file (--write-pid ${pidFile}): ${reason}`,
      { cause },
    );
  }
}
