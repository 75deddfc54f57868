// Decoding of records (sync section 4): liberal where that is safe, never half.
import { type IpAddress, parseAddress } from "../net/address.ts";
import { U16_MAX, U32_MAX } from "../net/decimal.ts";
import type { EthernetNetwork, IpNetwork } from "../route/route.ts";
import { kdPrfOf, keyBytes, type Role, SALT_BYTES } from "../satp/params.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { ArchiveReader, SIGNATURE } from "./archive.ts";
import { SyncError } from "./error.ts";
import type { ConnectionRecord, RouteRecord, SyncRecord } from "./record.ts";

const MAX_KEY_BYTES = 32;
const ROLES: readonly Role[] = ["left", "right"];
const FAMILIES = [4, 6, "ethernet"] as const;

/**
 * @returns undefined for an unknown command, which is to be skipped
 * @throws {SyncError} if it is not what sync section 2 says
 */
export function decodeRecord(text: Uint8Array): SyncRecord | undefined {
  const archive = new ArchiveReader(text);
  if (archive.string("signature") !== SIGNATURE) {
    throw new SyncError(
      "invalid signature",
      `Cannot read a record: it does not begin with ${SIGNATURE}`,
    );
  }
  // Newer libraries than the original's write the same tokens.
  archive.number("library version", U16_MAX);
  archive.objectClass("command");
  switch (archive.string("command")) {
    case "connection":
      return decodeConnection(archive);
    case "route":
      return decodeRoute(archive);
    default:
      return undefined;
  }
}

/** The same of one with its length in front, as it is in a stream. */
export function decodeFramed(record: string): SyncRecord | undefined {
  const text = record.slice(record.indexOf(" ") + 1);
  return decodeRecord(new TextEncoder().encode(text));
}

function decodeConnection(archive: ArchiveReader): ConnectionRecord {
  archive.objectClass("connection");
  const mux = archive.number("mux", U16_MAX);
  archive.objectClass("connection parameters");
  archive.objectClass("key derivation");
  const role = ROLES[archive.number("role", ROLES.length - 1)] ?? "left";
  const secrets = decodeSecrets(archive);
  archive.objectClass("sequence window");
  const windowSize = archive.number("window size", U32_MAX);
  const seq = archive.number("sequence number", U32_MAX);
  const address = addressFrom(archive.string("host"));
  const endpoint = { address, port: archive.number("port", U16_MAX) };
  return {
    command: "connection",
    mux,
    role,
    secrets,
    windowSize,
    seq,
    endpoint,
  };
}

/** The key size in bits names the key derivation; both lengths must fit it. */
function decodeSecrets(archive: ArchiveReader): MasterSecrets {
  const bits = archive.number("key length", U16_MAX);
  archive.objectClass("byte buffer");
  const salt = archive.bytes("salt", SALT_BYTES);
  const key = archive.bytes("key", MAX_KEY_BYTES);
  const kdPrf = kdPrfOf(bits / 8);
  const saltBytes = kdPrf === "null" ? 0 : SALT_BYTES;
  if (
    kdPrf === undefined || key.length !== keyBytes(kdPrf) ||
    salt.length !== saltBytes
  ) {
    throw new SyncError(
      "Invalid argument",
      `Cannot use a key length of ${bits} bits: the key has ${key.length} bytes, the salt ${salt.length}`,
    );
  }
  return { key, salt };
}

function decodeRoute(archive: ArchiveReader): RouteRecord {
  archive.objectClass("route");
  archive.objectClass("prefix");
  const prefixLength = archive.number("prefix length", 255);
  archive.objectClass("address");
  const network = decodeNetwork(archive);
  const mux = archive.number("mux", U16_MAX);
  return { command: "route", network, prefixLength, mux };
}

function decodeNetwork(archive: ArchiveReader): IpNetwork | EthernetNetwork {
  const family =
    FAMILIES[archive.number("address family", FAMILIES.length - 1)];
  if (family === "ethernet") {
    return { family, value: archive.number64("Ethernet address") };
  }
  const address = addressFrom(archive.string("address"));
  if (address.family !== family || address.zone !== undefined) {
    throw new SyncError(
      "Invalid argument",
      `Cannot use the address of a route: it is not of family IPv${family}`,
    );
  }
  return address;
}

function addressFrom(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new SyncError(
      "Invalid argument",
      "Cannot read a record: an address is neither IPv4 nor IPv6",
    );
  }
  return address;
}
