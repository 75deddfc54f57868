import type { Sides } from "../../lab/lab.ts";
import type { PeerSettings } from "../../lab/peers.ts";

/** The UDP port of every daemon. */
export const PORT = 4444;

/** The secret of tunnels that are not about secrets. */
export const passphrase: readonly string[] = [
  "-E",
  "correct-horse-battery-staple",
];

/** The left host's address inside the tunnel. */
export const LEFT = "10.99.0.1";

/** The right host's address inside the tunnel. */
export const RIGHT = "10.99.0.2";

/** A left peer on a tun device that knows no address of the other. */
export const waitingLeft: PeerSettings = {
  role: "left",
  type: "tun",
  addresses: [`${LEFT}/24`],
  port: PORT,
  options: passphrase,
};

/** A right peer on a tun device that speaks to the left host's daemon. */
export function speakingRight({ left }: Pick<Sides, "left">): PeerSettings {
  return {
    role: "right",
    type: "tun",
    addresses: [`${RIGHT}/24`],
    port: PORT,
    remote: { host: left.ipv4, port: PORT },
    options: passphrase,
  };
}
