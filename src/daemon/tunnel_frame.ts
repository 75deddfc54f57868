// Frame of the daemon `anytun`: all that its parts have in common.
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { InterfaceIndex, InterfaceName } from "../net/zone.ts";
import { RouteTable } from "../route/table.ts";
import { type MasterSecrets, masterSecrets } from "../satp/secrets.ts";
import { FILE_WORDS } from "../state/accepted_records.ts";
import type { KeptState } from "../state/kept_state.ts";
import { ConnectionTable } from "../tunnel/connection_table.ts";
import { NumberSpaces } from "../tunnel/number_spaces.ts";
import type { AcceptedPlace } from "../tunnel/replay_bound.ts";
import { ReplayFloors } from "../tunnel/replay_floors.ts";
import { longWaitText, patience } from "../tunnel/record_lock.ts";
import { Hooks } from "./hooks.ts";
import { openState } from "./kept_numbers.ts";
import type { Frame } from "./run_program.ts";
import type { World } from "./world.ts";

type SecretsOf = (
  options: Pick<AnytunOptions, "secrets">,
) => Promise<MasterSecrets | undefined>;

export interface TunnelFrame extends Frame {
  readonly options: AnytunOptions;
  readonly world: World;
  /** What options give, if they do, in copies that are to be overwritten. */
  readonly secretsOf: SecretsOf;
  /** The first ones. */
  readonly secrets: MasterSecrets | undefined;
  /** Numbers beyond the process, if they are kept. */
  readonly state: KeptState | undefined;
  /** Where threads note what they accept, if anybody wants to know. */
  readonly accepted: AcceptedPlace | undefined;
  /** What other members have accepted; undefined outside of a cluster. */
  readonly floors: ReplayFloors | undefined;
  readonly table: ConnectionTable;
  /** undefined without routing. */
  readonly routes: RouteTable | undefined;
  /** The connection whose keys come from a key chain, if there is one. */
  readonly chainMux: number | undefined;
  readonly interfaceIndex: InterfaceIndex;
  readonly interfaceName: InterfaceName;
  readonly hooks: Hooks;
}

/** @throws if the keys, or the folder for numbers, are of no use */
export async function openTunnelFrame(
  options: AnytunOptions,
  world: World,
  frame: Frame,
): Promise<TunnelFrame> {
  const { cluster: { routing }, kdPrf, keyChain, mux, role } = options;
  const { control, digest } = world;
  const secretsOf: SecretsOf = async ({ secrets: given }) =>
    given && await masterSecrets(kdPrf, given, digest);
  const secrets = await secretsOf(options);
  frame.logger.notice(`KeyDerivation: using role ${role}`);
  const routes = routing ? new RouteTable(RouteTable.allocate()) : undefined;
  const state = openState(options, world, frame);
  const floors = isInCluster(options) ? new ReplayFloors() : undefined;
  return {
    ...frame,
    options,
    world,
    secretsOf,
    secrets,
    state,
    floors,
    accepted: state?.accepted ?? (floors && new SharedArrayBuffer(FILE_BYTES)),
    table: newTable(options, world, state, frame.logger),
    routes,
    chainMux: keyChain === undefined ? undefined : mux,
    interfaceIndex: (name) => control.interfaceIndex(name),
    interfaceName: (index) => control.interfaceName(index),
    hooks: new Hooks(mux),
  };
}

/** Of what is accepted, where no file keeps it. */
const FILE_BYTES = FILE_WORDS * Uint32Array.BYTES_PER_ELEMENT;

function isInCluster({ cluster }: Pick<AnytunOptions, "cluster">): boolean {
  return cluster.syncServer !== undefined || cluster.syncServers.length > 0;
}

function newTable(
  { allowWrap, cluster: { routing }, mux }: AnytunOptions,
  world: World,
  state: KeptState | undefined,
  logger: Logger,
): ConnectionTable {
  const spaces = new NumberSpaces({
    // Without routing everything goes out under the own mux (SATP section 8).
    headerMux: (own) => routing ? own : mux,
    hash: world.hash,
    store: state?.numbers,
    allowWrap,
    now: world.elapsed,
  });
  const waitsOn = patience((mux) => logger.warning(longWaitText(mux), { mux }));
  const shared = ConnectionTable.allocate();
  return new ConnectionTable(shared, spaces, undefined, waitsOn);
}
