// Statement of a record: what it states, as a short text to compare. It is never sent.
import type { Role } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import type { SyncRecord } from "./record.ts";

interface Stated {
  readonly role: Role;
  readonly secrets: MasterSecrets;
}

/**
 * Of keys and role; of windows the last comer decides, as ever, since originals
 * have their own. Two that are random differ: 64 bits (FNV-1a, and the same with
 * another prime).
 */
export function statementOf({ role, secrets }: Stated): string {
  let one = 0x811c9dc5;
  let other = 0xcbf29ce4;
  for (const bytes of [secrets.key, secrets.salt]) {
    for (const byte of bytes) {
      one = Math.imul(one ^ byte, 0x01000193);
      other = Math.imul(other ^ byte, 0x9e3779b1);
      other ^= other >>> 15;
    }
  }
  return [role, one >>> 0, other >>> 0].join(" ");
}

/** Of a route: where it leads. */
export function statementOfRecord(record: SyncRecord): string {
  return record.command === "route" ? String(record.mux) : statementOf(record);
}
