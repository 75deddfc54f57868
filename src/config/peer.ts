/**
 * What the options about the two ends of a tunnel mean together.
 *
 * @module
 */
import type { FamilyChoice } from "../net/resolver.ts";
import { type Role, roleFromName } from "../satp/params.ts";
import { SyntaxFault } from "./fault.ts";

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
