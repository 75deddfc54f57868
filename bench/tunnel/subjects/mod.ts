/**
 * All subjects, in the order in which they take turns.
 *
 * @module
 */

import type { PeerPrograms } from "../peers.ts";
import type { Subject } from "../subject.ts";
import { nebula } from "./nebula.ts";
import { openvpn } from "./openvpn.ts";
import { satpSubjects } from "./satp.ts";
import { wireguard } from "./wireguard.ts";

/** Every subject, whether it can be measured here or not. */
export function allSubjects(peers: PeerPrograms): Subject[] {
  return [...satpSubjects(), openvpn(peers), wireguard(peers), nebula(peers)];
}
