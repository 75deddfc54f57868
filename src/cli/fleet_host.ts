// Surroundings of what is done to a fleet.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { FleetClients } from "../fleet/clients.ts";

export interface FleetHost {
  readonly clients: FleetClients;
  readonly libc: ProcessLibc;
  /** Says something to people. */
  readonly tell: (text: string) => void;
}
