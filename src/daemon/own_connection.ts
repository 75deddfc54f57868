// The own connection of a daemon: its keys, and the peer that it leads to.
import { Resolver } from "../net/resolver.ts";
import type { LeavingKeys } from "../tunnel/leaving_keys.ts";
import type { KeyRotation } from "./key_rotation.ts";
import { OwnKeys } from "./own_keys.ts";
import { Peer } from "./peer.ts";
import type { TunnelFrame } from "./tunnel_frame.ts";

export interface OwnConnection {
  /** Of a key chain, if the keys come from one. */
  readonly rotation: KeyRotation | undefined;
  readonly peer: Peer;
}

export async function ownConnection(
  frame: TunnelFrame,
  leaving: LeavingKeys,
): Promise<OwnConnection> {
  const { logger, options, secrets, secretsOf, table } = frame;
  const { expected, isKeptAlive, isUnanswered, moved, prepare } = frame.hooks;
  const { delay, elapsed, every, lookup } = frame.world;
  const rotation = await rotationOf(frame);
  const keys = new OwnKeys(options, {
    ...{ table, leaving, delay, elapsed, prepare, moved, logger },
  });
  const peer = new Peer(options, {
    resolver: new Resolver(lookup, delay, logger),
    interfaceIndex: frame.interfaceIndex,
    interfaceName: frame.interfaceName,
    secrets: rotation ? () => rotation.secrets() : secrets && (() => secrets),
    secretsOf,
    ...{ table, keys, prepare, expected, moved, isUnanswered, isKeptAlive },
    ...{ logger, elapsed, every },
  });
  return { rotation, peer };
}

async function rotationOf(
  frame: TunnelFrame,
): Promise<KeyRotation | undefined> {
  const { identity, logger, options, table, world } = frame;
  const { dropRetired, moved, prepare } = frame.hooks;
  if (options.keyChain === undefined) return undefined;
  const { KeyRotation } = await import("./key_rotation.ts");
  return new KeyRotation(
    options.keyChain,
    options,
    { table, logger, identity, prepare, dropRetired, moved },
    world,
  );
}
