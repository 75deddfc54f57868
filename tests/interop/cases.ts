import type { PeerProgram } from "../../lab/peers.ts";
import {
  anytun,
  oursAsBinary,
  oursFromSource,
  oursNative,
  oursOnBuiltin,
  oursOnOpenssl,
  oursOnWebCrypto,
  oursWithOneWorker,
  oursWithoutOffloads,
  oursWithTwoWorkers,
  uanytun,
} from "../../lab/peers.ts";
import { passphrase } from "./settings.ts";

/** What is varied between one tunnel and the next. */
export interface Variant {
  readonly name: string;
  readonly type?: "tun" | "tap";
  /** The family of the packets inside the tunnel; IPv4 unless told. */
  readonly inner?: "IPv4" | "IPv6";
  /** The family of the datagrams on the wire; IPv4 unless told. */
  readonly outer?: "IPv4" | "IPv6";
  /** Options that both peers get, in one string. */
  readonly options?: string;
  /** Options of the first peer only. */
  readonly first?: string;
  /** Options of the second peer only. */
  readonly second?: string;
  /** Which peer is told no address and waits for the other. */
  readonly waits?: "first" | "second";
  /** Whether all ways to run our program go through this one. */
  readonly often?: boolean;
}

/** One tunnel: two programs, and what is varied. */
export interface Case {
  readonly name: string;
  readonly first: PeerProgram;
  readonly second: PeerProgram;
  /** The role of the first program; the second has the other. */
  readonly role: "left" | "right";
  readonly variant: Variant;
}

const PASSPHRASE = passphrase.join(" ");
const KEY_128 = "-K 2b7e151628aed2a6abf7158809cf4f3c";
const KEY_192 = "-K 8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
const KEY_256 =
  "-K 603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const SALT = "-A f0f1f2f3f4f5f6f7f8f9fafbfcfd";

/** What ours is put through with each of the originals. */
export const variants: readonly Variant[] = [
  { name: "tun with IPv4", often: true },
  { name: "tun with IPv4, roles exchanged" },
  { name: "tun with IPv6", inner: "IPv6", often: true },
  { name: "tap", type: "tap", often: true },
  {
    name: "tap with IPv6 over IPv6",
    type: "tap",
    inner: "IPv6",
    outer: "IPv6",
    often: true,
  },
  { name: "tun over IPv6", outer: "IPv6" },
  { name: "192 bit keys", options: "-c aes-ctr-192 -k aes-ctr-192" },
  {
    name: "256 bit keys",
    options: "-c aes-ctr-256 -k aes-ctr-256",
    often: true,
  },
  { name: "cipher 256, kd 128", options: "-c aes-ctr-256 -k aes-ctr-128" },
  { name: "cipher 128, kd 256", options: "-c aes-ctr-128 -k aes-ctr-256" },
  {
    name: "cipher 192, kd 256",
    options: "-c aes-ctr-192 -k aes-ctr-256",
    often: true,
  },
  { name: "cipher 256, kd 192", options: "-c aes-ctr-256 -k aes-ctr-192" },
  { name: "null cipher", options: "-c null" },
  { name: "null authentication", options: "-a null" },
  {
    name: "null cipher and authentication",
    options: "-c null -a null",
    often: true,
  },
  { name: "null key derivation", options: "-k null" },
  { name: "tag of 0 bytes", options: "-b 0" },
  { name: "tag of 4 bytes", options: "-b 4" },
  { name: "tag of 20 bytes", options: "-b 20", often: true },
  { name: "key and salt of 128 bits", options: `${KEY_128} ${SALT}` },
  {
    name: "key of 192 bits, salt of the passphrase",
    options: `${KEY_192} ${PASSPHRASE} -k aes-ctr-192`,
  },
  {
    name: "key of the passphrase, given salt",
    options: `${PASSPHRASE} ${SALT}`,
  },
  {
    name: "key of 256 bits, 256 bit cipher",
    options: `${KEY_256} ${SALT} -k aes-ctr-256 -c aes-ctr-256`,
  },
  { name: "aliases of the roles", first: "-e client", second: "-e server" },
  {
    name: "mux and sender ids",
    options: "-m 4242",
    first: "-s 7",
    second: "-s 65535",
  },
  { name: "replay window of 64", options: "-w 64", often: true },
  { name: "the second waits", waits: "second" },
  { name: "the first waits", waits: "first", options: "-w 1024", often: true },
];

const frequent = variants.filter(({ often }) => often);

/** The originals with each other: where these fail, the lab is wrong. */
export const originals: readonly Case[] = [
  ...casesOf(anytun, [anytun], "left", variants.slice(0, 1)),
  ...casesOf(uanytun, [anytun], "right", variants.slice(4, 5)),
];

/** Ours with the C++ program. */
export const withAnytun: readonly Case[] = casesOf(
  oursNative,
  [anytun],
  "left",
  variants,
);

/**
 * Ours with the C program, each variant in the role that it does not have with
 * the C++ program.
 */
export const withUanytun: readonly Case[] = casesOf(
  oursNative,
  [uanytun],
  "right",
  variants,
);

/** The other ways to run ours, with both originals in turns. */
export const otherWays: readonly Case[] = [
  oursFromSource,
  oursOnWebCrypto,
  oursOnOpenssl,
  oursOnBuiltin,
  oursWithOneWorker,
  oursWithTwoWorkers,
  oursWithoutOffloads,
].flatMap((program) => casesOf(program, [anytun, uanytun], "left", frequent));

/** Ours with itself: each plane alone, and both together. */
export const withOurselves: readonly Case[] = [
  ...casesOf(oursNative, [oursNative], "left", frequent),
  ...casesOf(oursOnWebCrypto, [oursNative], "right", frequent),
  ...casesOf(oursFromSource, [oursOnWebCrypto], "left", frequent.slice(0, 3)),
];

/** Our binary with both originals and with ours from source. */
export const ofBinary: readonly Case[] = [
  ...casesOf(oursAsBinary, [anytun], "left", frequent),
  ...casesOf(oursAsBinary, [uanytun], "right", frequent),
  ...casesOf(oursAsBinary, [oursFromSource], "left", frequent.slice(0, 1)),
];

/**
 * One case for each variant. The second programs take turns; each time round
 * the first program changes its role.
 */
export function casesOf(
  first: PeerProgram,
  seconds: readonly [PeerProgram, ...PeerProgram[]],
  firstRole: "left" | "right",
  list: readonly Variant[],
): readonly Case[] {
  return list.map((variant, index) => {
    const second = seconds[index % seconds.length] ?? seconds[0];
    const round = Math.floor(index / seconds.length);
    const role = round % 2 === 0 ? firstRole : opposite(firstRole);
    const programs = `${first.name}, ${role}, and ${second.name}`;
    return {
      name: `${programs}: ${variant.name}`,
      first,
      second,
      role,
      variant,
    };
  });
}

/** The role of the other side. */
export function opposite(role: "left" | "right"): "left" | "right" {
  return role === "left" ? "right" : "left";
}

/** The options of one side of a tunnel, with secrets if there are none yet. */
export function optionsOf(
  variant: Variant,
  side: "first" | "second",
): readonly string[] {
  const given = [variant.options, variant[side]].join(" ").split(" ")
    .filter((word) => word !== "");
  const hasSecret = given.includes("-E") || given.includes("-K");
  return hasSecret ? given : [...passphrase, ...given];
}

if (import.meta.main) {
  const all = [
    originals,
    withAnytun,
    withUanytun,
    otherWays,
    withOurselves,
    ofBinary,
  ];
  const names = all.flat().map(({ name }) => `${name}\n`).join("");
  await Deno.stdout.write(new TextEncoder().encode(names));
}
