// Control of the process, by way of the C library.
import { takeRuntimeFiles } from "../../ffi/process/descriptors.ts";
import {
  confine,
  forbidPrivileges,
  hideMemory,
  limitBoundingSet,
} from "../../ffi/process/hardening.ts";
import {
  changeDirectory,
  changeIdentity,
  changeRoot,
  findGroup,
  findUser,
  groupName,
} from "../../ffi/process/identity.ts";
import { placeFile } from "../../ffi/process/placed_file.ts";
import { confineFiles } from "../../ffi/process/landlock.ts";
import { interfaceIndex } from "../../ffi/process/process.ts";
import { interfaceName } from "../../ffi/net/interface_name.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { dropProgramPages, trimHeap } from "../../ffi/process/spare_memory.ts";
import type { ProcessControl } from "./process_control.ts";
import {
  keepProgram,
  listenForWords,
  runProgramNow,
} from "./system_programs.ts";

/**
 * @param absolute Path of a file, from where the daemon was started
 * @param hasConfinedFiles Of who has started it, see {@linkcode Parent}
 */
export function systemControl(
  libc: ProcessLibc,
  absolute: (path: string) => string,
  hasConfinedFiles: boolean,
): ProcessControl {
  let isConfined = false;
  return {
    findUser: (name) => findUser(libc, name),
    findGroup: (name) => findGroup(libc, name),
    groupName: (gid) => groupName(libc, gid),
    interfaceIndex: (name) => interfaceIndex(libc, name),
    interfaceName: (index) => interfaceName(libc, index),
    placeFile(path, bytes) {
      const suffix = crypto.getRandomValues(new Uint8Array(8)).toHex();
      return placeFile(libc, path, { bytes, mode: 0o644, suffix });
    },
    run: (program) => runProgramNow(libc, program),
    keep: (program) => keepProgram(libc, program),
    listen: (program) => listenForWords(libc, program),
    changeRoot: (folder) => changeRoot(libc, folder),
    changeDirectory: (folder) => changeDirectory(libc, folder),
    changeIdentity: (identity, kept) => changeIdentity(libc, identity, kept),
    takeRuntimeFiles: () => takeRuntimeFiles(libc),
    emptyBoundingSet: () => limitBoundingSet(libc),
    trimHeap: () => trimHeap(libc),
    dropProgramPages: () => dropProgramPages(libc),
    hideMemory: () => hideMemory(libc),
    confine(needs) {
      const refusal = forbidPrivileges(libc) ?? confine(libc, needs);
      isConfined = refusal === undefined;
      // Those of the start have been told.
      libc.refused.clear();
      return refusal;
    },
    confineFiles({ appended, written, removedFrom }) {
      const refusal = forbidPrivileges(libc) ?? confineFiles(libc, {
        appended: appended.map(absolute),
        written,
        removedFrom: removedFrom.map(absolute),
      });
      return hasConfinedFiles ? undefined : refusal;
    },
    refusedCalls: () => isConfined ? libc.refused : new Map(),
  };
}
