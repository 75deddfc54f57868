// Name resolution of the system.
import { type IpAddress, parseAddress } from "./address.ts";
import type { FamilyChoice } from "./resolver.ts";

const NODE_FAMILIES: Readonly<Record<FamilyChoice, 0 | 4 | 6>> = {
  any: 0,
  "4": 4,
  "6": 6,
};

/** Node's part of the runtime takes long to load: not before it is needed. */
const load = () => import("node:dns/promises");

/** For lookups after chroot(2), where the runtime could not load it. */
export async function loadLookup(): Promise<void> {
  await load();
}

/**
 * getaddrinfo(3): hosts file, name servers, the order of RFC 6724. Needs
 * `--allow-net`.
 * @throws if the name has no address of the family
 */
export async function systemLookup(
  host: string,
  family: FamilyChoice,
): Promise<readonly IpAddress[]> {
  const { lookup } = await load();
  const found = await lookup(host, {
    all: true,
    order: "verbatim",
    family: NODE_FAMILIES[family],
  });
  return found.flatMap(({ address }) => parseAddress(address) ?? []);
}
