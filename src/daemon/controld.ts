// The daemon `anytun-controld` (sync section 7).
import type { ControldOptions } from "../config/controld.ts";
import { instanceId } from "../sync/extension.ts";
import { KnownMembers } from "../sync/known_members.ts";
import { Ledger } from "../sync/ledger.ts";
import { ServedRecords } from "../sync/served_records.ts";
import { Slices } from "../sync/slices.ts";
import { ClientFolder } from "./client_folder.ts";
import type { RecordsWorld } from "./client_records.ts";
import { ControlChains } from "./control_chains.ts";
import { ControlFileService } from "./control_file_service.ts";
import type { StoreSourceWorld } from "./store_services.ts";
import type { Service } from "./lifecycle.ts";
import type { RecordSink, RecordSource } from "./record_source.ts";
import type { Configured } from "./reload.ts";
import { type Frame, type ProgramWorld, runProgram } from "./run_program.ts";
import { SyncCertificates } from "./sync_certificates.ts";
import { SyncService, type SyncServiceWorld } from "./sync_service.ts";
import type { World } from "./world.ts";

/** Bytes of changes that may wait for a client: all of a large file. */
const MAX_WAITING = 64 << 20;

type ControldWorld =
  & StoreSourceWorld
  & ProgramWorld
  & RecordsWorld
  & SyncServiceWorld
  & Pick<World, "fileVersion" | "random" | "readKeyChain" | "readSecretFile">;

export function runControld(
  configured: Configured<ControldOptions>,
  world: ControldWorld,
): Promise<number> {
  const { options } = configured;
  return runProgram({
    name: "anytun-controld",
    configured,
    services: (frame) => servicesOf(options, world, frame),
  }, world);
}

async function servicesOf(
  options: ControldOptions,
  world: ControldWorld,
  frame: Frame,
): Promise<readonly Service<ControldOptions>[]> {
  const { logger } = frame;
  const instance = instanceId(world.random);
  const served: ServedRecords = new ServedRecords(
    new Ledger({ ...world, instance }),
    {
      snapshot: () => source.snapshot(),
      isStale: () => source.isStale ?? false,
      push: (record) => server.push(record),
      wake: () => server.wake(),
      slices: new Slices({ delay: world.delay, now: world.elapsed }),
    },
  );
  const { before, source } = await sourceOf(options, served, world, frame);
  const certificates = new SyncCertificates<ControldOptions>(
    options,
    (next) => next,
    logger,
  );
  const server: SyncService = new SyncService({
    ...frame,
    bind: options.controlHost,
    named: "(--control-host)",
    known: source.known,
    trust: { ...options, syncTls: certificates.identity },
    // It knows no names, and learns who has a certificate.
    members: new KnownMembers(),
    snapshot: () => source.snapshot(),
    feed: served.feed,
    maxWaiting: MAX_WAITING,
  }, world);
  return [...before, certificates, source, server];
}

interface Sources {
  /** What it reads from, to be started first. */
  readonly before: readonly Service<ControldOptions>[];
  readonly source: RecordSource;
}

async function sourceOf(
  options: ControldOptions,
  sink: RecordSink,
  world: ControldWorld,
  frame: Frame,
): Promise<Sources> {
  const { keyChains, clients: found, file, source: store } = options;
  const { logger } = frame;
  if (store !== undefined) {
    // Few have one.
    const { storeSource } = await import("./store_services.ts");
    const source = storeSource(store, options, sink, world, frame);
    return { before: [], source };
  }
  const clients = found && new ClientFolder(found, world, logger);
  const chains = keyChains === undefined
    ? undefined
    : new ControlChains(keyChains, world, (text) => logger.warning(text));
  const source = new ControlFileService(
    {
      path: file ?? found?.folder ?? "",
      named: clients === undefined ? "--file" : "--config",
      ...{ chains, sink },
    },
    clients === undefined ? world : {
      delay: world.delay,
      elapsed: world.elapsed,
      fileVersion: () => undefined,
      readSecretFile: () => clients.read(),
    },
    logger,
  );
  return { before: clients ? [clients] : [], source };
}
