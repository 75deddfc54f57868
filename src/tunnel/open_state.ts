// State folder of a tunnel that is part of another program.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { sha256Text } from "../crypto/sha256.ts";
import type { Logger } from "../log/logger.ts";
import { every } from "../net/every.ts";
import type { KeptState } from "../state/kept_state.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { NumberUpkeep } from "./number_upkeep.ts";
import { StateError } from "./state_error.ts";

/** @throws {StateError} if the folder is of no use */
export async function openState(
  path: string | undefined,
  libc: ProcessLibc,
  logger: Logger,
): Promise<KeptState | undefined> {
  if (path === undefined) return undefined;
  const { readBootId } = await import("../../ffi/process/process.ts");
  const { StateFolder } = await import("../../ffi/process/state_folder.ts");
  const { KeptState } = await import("../state/kept_state.ts");
  const bootId = () => readBootId(libc);
  const options = { hash: sha256Text, bootId, logger, allowWrap: false };
  try {
    return new KeptState(new StateFolder(libc, path), options);
  } catch (cause) {
    throw new StateError(path, cause);
  }
}

/**
 * Keeps numbers ahead of their use until all is disposed of, when no thread sends
 * or receives any more.
 *
 * @returns Rejects if that fails, and so does the disposal
 */
export function keepUp(
  table: ConnectionTable,
  state: KeptState,
  opened: AsyncDisposableStack,
): Promise<void> {
  const clock = { every, now: () => Date.now() };
  const upkeep = new NumberUpkeep(table, state, clock);
  const ending = new AbortController();
  const keeping = upkeep.run(ending.signal);
  // Also before anybody looks: it is told at the end.
  keeping.catch(() => {});
  opened.defer(async () => {
    ending.abort();
    try {
      await keeping;
    } finally {
      await upkeep.close();
      state.release();
    }
  });
  return keeping;
}
