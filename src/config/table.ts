/**
 * Every option there is (CLI section 2), each in one row.
 *
 * @module
 */
import { MAX_WINDOW_SIZE } from "../satp/replay_window.ts";
import { logTarget } from "./log_target.ts";
import {
  engine,
  type EngineChoice,
  OFFLOAD_NAMES,
  offloads,
  workers,
} from "./speed.ts";
import {
  action,
  flag,
  optional,
  type OptionValues,
  repeated,
  withDefault,
} from "./option.ts";
import {
  anyText,
  authAlgo,
  cipher,
  decimal,
  devicePrefix,
  deviceType,
  host,
  masterKey,
  masterSalt,
} from "./values.ts";

const U16_MAX = 0xffff;
const U32_MAX = 0xffffffff;
const AUTO = "auto" as EngineChoice;
const TWO_WORKERS = 2 as 1 | 2;

/** The options of the program `anytun`, in the order of its help text. */
export const anytunTable = {
  help: action("help", {
    short: "-h",
    long: "--help",
    help: "print this text and exit",
  }),
  version: action("version", {
    short: "-v",
    long: "--version",
    help: "print the version and exit",
  }),

  foreground: flag({
    group: "Running",
    short: "-D",
    long: "--nodaemonize",
    help: "stay in the foreground",
  }),
  log: repeated({
    group: "Running",
    short: "-L",
    long: "--log",
    argument: "target:level",
    parse: logTarget,
    help:
      "log to stdout, stderr or file, the latter as file:level,path; levels " +
      "are 0 off, 1 error, 2 warning, 3 notice, 4 info, 5 debug; may be given " +
      "several times (default stderr:3)",
  }),
  debug: flag({
    group: "Running",
    short: "-U",
    long: "--debug",
    help: "the same as -D -L stdout:5",
  }),

  localHost: optional({
    group: "Network",
    short: "-i",
    long: "--interface",
    argument: "host",
    parse: host,
    help: "local address or name to listen on (default any)",
  }),
  localPort: withDefault({
    group: "Network",
    short: "-p",
    long: "--port",
    argument: "port",
    parse: decimal(0, U16_MAX),
    default: 4444,
    help: "local port; 0 lets the system choose",
  }),
  remoteHost: optional({
    group: "Network",
    short: "-r",
    long: "--remote-host",
    argument: "host",
    parse: host,
    help: "address or name of the peer (default: wait for its first packet)",
  }),
  remotePort: withDefault({
    group: "Network",
    short: "-o",
    long: "--remote-port",
    argument: "port",
    parse: decimal(1, U16_MAX),
    default: 4444,
    help: "port of the peer",
  }),
  ipv4Only: flag({
    group: "Network",
    short: "-4",
    long: "--ipv4-only",
    help: "use IPv4 alone between the peers",
  }),
  ipv6Only: flag({
    group: "Network",
    short: "-6",
    long: "--ipv6-only",
    help: "use IPv6 alone between the peers",
  }),

  deviceName: optional({
    group: "Device",
    short: "-d",
    long: "--dev",
    argument: "name",
    parse: anyText,
    help: "name of the device, such as tun7 or tap%d (default: the system's)",
  }),
  deviceType: optional({
    group: "Device",
    short: "-t",
    long: "--type",
    argument: "type",
    parse: deviceType,
    help: "tun for IP packets or tap for Ethernet frames (default: what the " +
      "name begins with, without a name tun)",
  }),
  ifconfig: repeated({
    group: "Device",
    short: "-n",
    long: "--ifconfig",
    argument: "address/length",
    parse: devicePrefix,
    help: "give the device this IPv4 or IPv6 address and bring it up; may be " +
      "given several times",
  }),
  mtu: optional({
    group: "Device",
    long: "--mtu",
    argument: "bytes",
    parse: decimal(68, U16_MAX),
    help: "largest packet of the device, with -n (default 1400)",
  }),

  senderId: withDefault({
    group: "Connection",
    short: "-s",
    long: "--sender-id",
    argument: "number",
    parse: decimal(0, U16_MAX),
    default: 0,
    help: "tells apart servers that share one address",
  }),
  mux: withDefault({
    group: "Connection",
    short: "-m",
    long: "--mux",
    argument: "number",
    parse: decimal(0, U16_MAX),
    default: 0,
    help: "number of the connection, the same on both sides",
  }),
  windowSize: withDefault({
    group: "Connection",
    short: "-w",
    long: "--window-size",
    argument: "number",
    parse: decimal(0, MAX_WINDOW_SIZE),
    default: 0,
    help: "how late a packet may come without being taken for a replay; 0 " +
      "accepts replays",
  }),
  role: withDefault({
    group: "Connection",
    short: "-e",
    long: "--role",
    argument: "role",
    // Checked after all arguments were read, as in the original.
    parse: anyText,
    default: "left",
    help: "left (alice, server) or right (bob, client); the peer is the other",
  }),

  passphrase: optional({
    group: "Keys and algorithms",
    short: "-E",
    long: "--passphrase",
    argument: "text",
    parse: anyText,
    secret: true,
    help: "make master key and salt of this text",
  }),
  key: optional({
    group: "Keys and algorithms",
    short: "-K",
    long: "--key",
    argument: "hex",
    parse: masterKey,
    secret: true,
    help: "master key: 32, 48 or 64 digits, as the key derivation wants",
  }),
  salt: optional({
    group: "Keys and algorithms",
    short: "-A",
    long: "--salt",
    argument: "hex",
    parse: masterSalt,
    secret: true,
    help: "master salt: 28 digits",
  }),
  kdPrf: withDefault({
    group: "Keys and algorithms",
    short: "-k",
    long: "--kd-prf",
    argument: "name",
    parse: cipher,
    default: "aes-ctr-128",
    help:
      "key derivation: aes-ctr-128 (or aes-ctr), aes-ctr-192, aes-ctr-256, " +
      "or null for no keys at all",
  }),
  cipher: withDefault({
    group: "Keys and algorithms",
    short: "-c",
    long: "--cipher",
    argument: "name",
    parse: cipher,
    default: "aes-ctr-128",
    help:
      "encryption: aes-ctr-128 (or aes-ctr), aes-ctr-192, aes-ctr-256, or " +
      "null for none",
  }),
  authAlgo: withDefault({
    group: "Keys and algorithms",
    short: "-a",
    long: "--auth-algo",
    argument: "name",
    parse: authAlgo,
    default: "sha1",
    help: "authentication: sha1, or null for none",
  }),
  tagLength: withDefault({
    group: "Keys and algorithms",
    short: "-b",
    long: "--auth-tag-length",
    argument: "bytes",
    parse: decimal(0, U32_MAX),
    default: 10,
    help: "length of the authentication tag, at most 20",
  }),

  engine: withDefault({
    group: "Speed",
    long: "--engine",
    argument: "name",
    parse: engine,
    default: AUTO,
    help:
      "cryptography: openssl (the system's libcrypto), builtin, webcrypto " +
      "(with the portable data plane), or auto for the fastest there is",
  }),
  workers: withDefault({
    group: "Speed",
    long: "--workers",
    argument: "number",
    parse: workers,
    default: TWO_WORKERS,
    help: "threads that carry packets: 2, or 1 to save memory",
  }),
  offloads: optional({
    group: "Speed",
    long: "--offload",
    argument: "list",
    parse: offloads,
    help: "what the kernel may do for us, of " +
      `${OFFLOAD_NAMES.join(", ")}, separated by commas; all or none ` +
      "(default all)",
  }),
};

/** What the option table of `anytun` yields. */
export type AnytunValues = OptionValues<typeof anytunTable>;
