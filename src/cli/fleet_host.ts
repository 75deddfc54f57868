// Surroundings of what is done to a fleet.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { StoredClients } from "../fleet/clients.ts";

export interface FleetHost {
  readonly clients: StoredClients;
  readonly libc: ProcessLibc;
  /** Says something to people. */
  readonly tell: (text: string) => void;
}
