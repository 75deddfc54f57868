// The daemon `anytun-controld` (sync section 7).
import type { ControldOptions } from "../config/controld.ts";
import { KnownMembers } from "../sync/known_members.ts";
import { ClientFolder } from "./client_folder.ts";
import type { RecordsWorld } from "./client_records.ts";
import { ControlChains } from "./control_chains.ts";
import { ControlFileService } from "./control_file_service.ts";
import type { Service } from "./lifecycle.ts";
import type { Configured } from "./reload.ts";
import { type Frame, type ProgramWorld, runProgram } from "./run_program.ts";
import { SyncCertificates } from "./sync_certificates.ts";
import { SyncService, type SyncServiceWorld } from "./sync_service.ts";
import type { World } from "./world.ts";

/** Bytes of changes that may wait for a client: all of a large file. */
const MAX_WAITING = 64 << 20;

type ControldWorld =
  & ProgramWorld
  & RecordsWorld
  & SyncServiceWorld
  & Pick<World, "readKeyChain" | "readSecretFile">;

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

function servicesOf(
  options: ControldOptions,
  world: ControldWorld,
  frame: Frame,
): readonly Service<ControldOptions>[] {
  const { logger } = frame;
  const { keyChains, clients: found } = options;
  const clients = found && new ClientFolder(found, world, logger);
  const file = new ControlFileService(
    {
      path: options.file ?? found?.folder ?? "",
      named: clients === undefined ? "--file" : "--config",
      chains: keyChains === undefined
        ? undefined
        : new ControlChains(keyChains, world, (text) => logger.warning(text)),
      push: (record) => server.push(record),
    },
    clients === undefined
      ? world
      : { delay: world.delay, readSecretFile: () => clients.read() },
    logger,
  );
  const certificates = new SyncCertificates<ControldOptions>(
    options,
    (next) => next,
    logger,
  );
  const server: SyncService = new SyncService({
    ...frame,
    bind: options.controlHost,
    named: "(--control-host)",
    trust: { ...options, syncTls: certificates.identity },
    // It knows no names, and learns who has a certificate.
    members: new KnownMembers(),
    snapshot: () => file.snapshot(),
    maxWaiting: MAX_WAITING,
  }, world);
  return [...(clients ? [clients] : []), certificates, file, server];
}
