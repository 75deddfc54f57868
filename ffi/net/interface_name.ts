// Names of network interfaces, on any thread.

import type { Libc } from "../libc.ts";

/** IF_NAMESIZE of if_indextoname(3). */
const NAME_BYTES = 16;

/** @returns undefined when there is none of this number */
export function interfaceName(libc: Libc, index: number): string | undefined {
  const name = new Uint8Array(NAME_BYTES);
  if (libc.symbols.if_indextoname(index, name) === null) return undefined;
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}
