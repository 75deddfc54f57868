// Every program with its options, for manuals and completions.
import { anytunTable } from "../src/config/anytun.ts";
import { checkTable } from "../src/config/check.ts";
import { configTable } from "../src/config/config.ts";
import { controldTable } from "../src/config/controld.ts";
import { fleetTable } from "../src/config/fleet_table.ts";
import { drainTable, undrainTable } from "../src/config/drain_program.ts";
import { genkeyTable } from "../src/config/genkey.ts";
import { healthTable } from "../src/config/health_program.ts";
import type { OptionTable } from "../src/config/option.ts";
import type { ProgramName } from "../src/config/programs.ts";
import { showConfigTable } from "../src/config/show_config.ts";
import { showtablesTable } from "../src/config/showtables.ts";
import { statusTable } from "../src/config/status_program.ts";
import { withdrawTable } from "../src/config/withdraw_program.ts";

export const TABLES: Readonly<Record<ProgramName, OptionTable>> = {
  "anytun": anytunTable,
  "anytun-check": checkTable,
  "anytun-config": configTable,
  "anytun-controld": controldTable,
  "anytun-fleet": fleetTable,
  "anytun-show-config": showConfigTable,
  "anytun-status": statusTable,
  "anytun-health": healthTable,
  "anytun-drain": drainTable,
  "anytun-undrain": undrainTable,
  "anytun-withdraw": withdrawTable,
  "anytun-showtables": showtablesTable,
  "anytun-genkey": genkeyTable,
};
