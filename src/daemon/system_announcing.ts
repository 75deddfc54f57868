// Tools of an announcement, by way of the C library.
import { claimName } from "../../ffi/net/abstract_claim.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { AnycastDevice } from "../../ffi/tuntap/anycast_device.ts";
import { ownKindOf } from "./path_kind.ts";
import { startGuard } from "./system_guard.ts";
import type { AnnounceTools } from "./world.ts";

export function systemAnnouncing(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  absolute: (path: string) => string,
): AnnounceTools {
  return {
    absolute,
    openAnycastDevice: (name) => AnycastDevice.open(libc, name),
    claimName: (name) => claimName(libc, name),
    kindOf: (path) => ownKindOf(libc, path),
    startGuard: (setup, words) => startGuard(libc, environment, setup, words),
  };
}
