// The program `anytun-fleet`: the clients of a fleet, in its store
// (docs/fleet.md).
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { type FleetAction, readFleetCommandLine } from "../config/fleet.ts";
import { fleetTable } from "../config/fleet_table.ts";
import { nearest } from "../config/suggestion.ts";
import { openStore } from "../daemon/etcd.ts";
import { NoSuchClient, StoredClients, UnsureError } from "../fleet/clients.ts";
import { reasonOf } from "../log/reason.ts";
import { visible } from "../log/visible.ts";
import { LostKeyError } from "./client_files.ts";
import { configHostFiles } from "./config_host_files.ts";
import { addClient } from "./fleet_add.ts";
import { listClients } from "./fleet_list.ts";
import { rotateClient } from "./fleet_rotate.ts";
import type { FleetHost } from "./fleet_host.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { printCommandLine, printTo } from "./print.ts";

export async function fleet(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  hideSecrets(libc, fleetTable, argv);
  const files = configHostFiles(libc, "start");
  const commandLine = readFleetCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options: { source, act }, warnings } = commandLine;
  for (const warning of warnings) tell(`warning: ${warning}`);
  using store = openStore(source);
  const clients = new StoredClients(store.client, source.prefix, Math.random);
  try {
    return await perform(act, { clients, libc, tell });
  } catch (error) {
    const isDone = error instanceof LostKeyError;
    const text = isDone
      ? error.message
      : `Cannot ${whatOf(act)}: ${reasonFor(error)}`;
    tell(text);
    return EXIT_FAILED;
  }
}

async function perform(act: FleetAction, host: FleetHost): Promise<number> {
  switch (act.action) {
    case "add":
      await addClient(act, host);
      return 0;
    case "remove":
      await host.clients.remove(act.name);
      host.tell(`'${act.name}' is removed`);
      return 0;
    case "list":
      return await listClients(act, host);
    case "rotate":
      await rotateClient(act, host);
      return 0;
  }
}

function whatOf(act: FleetAction): string {
  if (act.action === "list") return "list the clients";
  if (act.action === "rotate") return `rotate the keys of '${act.name}'`;
  return `${act.action} '${act.name}'`;
}

function reasonFor(error: unknown): string {
  const reason = reasonOf(error);
  if (error instanceof NoSuchClient) {
    const meant = nearest(nameOf(error), error.names);
    return meant === undefined
      ? `${reason}: anytun fleet list shows those that there are`
      : `${reason}, did you mean '${meant}'?`;
  }
  if (error instanceof UnsureError) {
    return `${reason}; it may be done nevertheless: see anytun fleet list`;
  }
  return reason;
}

function nameOf(error: NoSuchClient): string {
  return /'(.*)'/.exec(error.message)?.[1] ?? "";
}

/** Standard output is for configs and lists alone. */
function tell(text: string): void {
  printTo(Deno.stderr, `anytun-fleet: ${visible(text)}\n`);
}
