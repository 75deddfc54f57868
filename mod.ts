/**
 * anytun for Deno: whole tunnels of the Secure Anycast Tunneling Protocol
 * (`Tunnel`), and its datagrams alone, sealed and opened as anytun 0.3.8 and
 * uanytun 0.3.7 do (`createSatpCodec`).
 *
 * @module
 */
export {
  createSatpBatchCodec,
  createSatpCodec,
  type SatpBatchCodecOptions,
  type SatpCodecOptions,
} from "./src/crypto/create_codec.ts";
export type { SatpBatchCodec } from "./src/satp/batch_codec.ts";
export type { OpenedPacket, PlainPacket, SatpCodec } from "./src/satp/codec.ts";
export { SatpError, type SatpErrorCode } from "./src/satp/errors.ts";
export type {
  AuthAlgo,
  CipherName,
  KdPrfName,
  Role,
} from "./src/satp/params.ts";
export { type DeviceType, PayloadType } from "./src/satp/header.ts";
export {
  DEFAULT_REPLAY_BYTES,
  type ReplayLoss,
  ReplayMemory,
} from "./src/satp/replay_memory.ts";
export {
  DEFAULT_MAX_SENDERS,
  type HighestNumbers,
  MAX_WINDOW_SIZE,
  type NumberFloors,
  ReplayWindow,
} from "./src/satp/replay_window.ts";
export {
  type ConnectionOptions,
  type ConnectionStatus,
  Tunnel,
} from "./src/tunnel/tunnel.ts";
export {
  PeerEvent,
  TunnelEvent,
  type TunnelEventMap,
  TunnelFailure,
} from "./src/tunnel/event.ts";
export { StateError } from "./src/tunnel/state_error.ts";
export type {
  TunnelDeviceOptions,
  TunnelOptions,
} from "./src/tunnel/options.ts";
export type {
  EngineChoice,
  MssChoice,
  MtuDiscovery,
  OffloadName,
  WorkersChoice,
} from "./src/tunnel/settings.ts";
export type {
  RoleName,
  SatpOptions,
  SecretOptions,
} from "./src/crypto/satp_options.ts";
export type { LogFields, Logger, LogValue } from "./src/log/logger.ts";
