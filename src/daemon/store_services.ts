// The store of a fleet as the source of a control daemon's records.
import { DEFAULT_FLEET_FOLDER, NO_STATE_DIR } from "../config/connection.ts";
import type { ControldOptions } from "../config/controld.ts";
import type { SourceOptions } from "../config/source.ts";
import { reasonOf } from "../log/reason.ts";
import type { StateFolder } from "../../ffi/process/state_folder.ts";
import { openStore } from "./etcd.ts";
import { StoreSource } from "./store_source.ts";
import { FleetClients } from "./fleet_clients.ts";
import { KeptClients } from "./kept_clients.ts";
import type { RecordSink } from "./record_source.ts";
import type { Frame } from "./run_program.ts";
import type { World } from "./world.ts";

export type StoreSourceWorld = Pick<
  World,
  | "delay"
  | "digest"
  | "elapsed"
  | "hash"
  | "now"
  | "openStateFolder"
  | "random"
  | "runtime"
  | "stateDirectory"
>;

export function storeSource(
  source: SourceOptions,
  options: Pick<ControldOptions, "sourceAllowLoss" | "stateDir">,
  sink: RecordSink,
  world: StoreSourceWorld,
  frame: Frame,
): StoreSource {
  const { logger, limited, showManager } = frame;
  const { prefix } = source;
  const clients = new FleetClients(prefix, sink, world, limited);
  const folder = folderOf(options, world, frame);
  const kept = folder && new KeptClients(
    folder,
    nameOf(prefix, world),
    () => clients.kept,
    world,
    logger,
  );
  return new StoreSource(
    { source, clients, folder, kept, logger, limited, showManager },
    options.sourceAllowLoss,
    { ...world, openStore },
  );
}

/** @throws if the folder that was asked for is of no use */
function folderOf(
  { stateDir }: Pick<ControldOptions, "stateDir">,
  { openStateFolder, stateDirectory }: StoreSourceWorld,
  { logger, identity }: Frame,
): StateFolder | undefined {
  const path = stateDir ?? stateDirectory ?? DEFAULT_FLEET_FOLDER;
  if (path === NO_STATE_DIR) return undefined;
  try {
    return openStateFolder(path, identity);
  } catch (error) {
    if (stateDir !== undefined) {
      throw new Error(`${reasonOf(error)} (--state-dir)`, { cause: error });
    }
    logger.warning(
      `no clients are kept (--state-dir): ${reasonOf(error)}; after a ` +
        "start servers wait for the store",
    );
    return undefined;
  }
}

/** Fleets of several prefixes may share a folder. */
function nameOf(prefix: string, { hash }: Pick<World, "hash">): string {
  const digest = hash(new TextEncoder().encode(prefix));
  return `clients-${digest.replaceAll(/\W/g, "_").slice(0, 16)}`;
}
