/**
 * What the options about the two ends of a tunnel mean together.
 *
 * @module
 */
import { parseAddress } from "../net/address.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import { type Role, roleFromName } from "../satp/params.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";

/** @throws {SyntaxFault} if the options exclude each other */
export function familyOf(
  { ipv4Only, ipv6Only }: {
    readonly ipv4Only: boolean;
    readonly ipv6Only: boolean;
  },
): FamilyChoice {
  if (ipv4Only && ipv6Only) {
    throw new SyntaxFault("-4 and -6 are mutual exclusive", undefined);
  }
  if (ipv4Only) return "4";
  return ipv6Only ? "6" : "any";
}

/**
 * Refuses an address that the family rules out: unlike a name it will never
 * resolve to another one.
 *
 * @param option By which it was given
 * @throws {OptionFault} if they do not fit
 */
export function requireFamily(
  option: string,
  host: string | undefined,
  family: FamilyChoice,
): void {
  const address = parseAddress(host ?? "");
  if (address === undefined || family === "any") return;
  if (family === String(address.family)) return;
  throw new OptionFault(
    `Cannot use ${option} ${host} with -${family}: ` +
      `it is an IPv${address.family} address`,
  );
}

/** @throws {SyntaxFault} if there is no role of this name */
export function roleOf(values: { readonly role: string }): Role {
  const role = roleFromName(values.role);
  if (role === undefined) {
    throw new SyntaxFault(
      `unknown role name: ${values.role}`,
      undefined,
      "-e needs left, alice or server; or right, bob or client",
    );
  }
  return role;
}
