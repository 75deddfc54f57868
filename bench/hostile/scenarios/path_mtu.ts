/**
 * Ways for smaller packets than those of the tunnel.
 *
 * @module
 */

import type { Side } from "../../tunnel/tunnel.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";

/** Payload of an echo request that is as long as the tunnel's MTU allows. */
const LONG_BYTES = 1372;

/** Does not let the kernel fragment the request (RFC 791). */
const WHOLE = ["-M", "do"];

/** @param from Who sends what is too long. */
async function run(
  bench: Bench,
  from: Side,
  narrow: (lab: Bench["lab"]) => Promise<void>,
): Promise<Outcome> {
  const { lab, open, traffic } = bench;
  await narrow(lab);
  await open();
  const long = { bytes: LONG_BYTES, options: WHOLE };
  // The first ones may be lost: from them the sender learns.
  await traffic.echoes(from, { count: 5, ...long });
  const { lost, told } = await traffic.echoes(from, { count: 50, ...long });
  const { rate, intact } = await traffic.copy(from);
  return {
    survived: intact,
    figures: { lost, rate },
    ...lost > 50 && { note: told ? "with an error" : "without an error" },
  };
}

const MTUS = [1280, 1000];

/** A small path MTU, with ICMP and without. */
export const pathMtu: Scenario = {
  name: "path-mtu",
  title: "A small path MTU",
  text:
    "The way takes only packets that are smaller than those of the tunnel: a " +
    "router says so by ICMP (RFC 1191), or nobody does. Echo requests of the " +
    "tunnel's MTU lost that may not be fragmented, whether their sender is " +
    "told, and the rate of a copy.",
  figures: [
    { id: "lost", label: "lost, %" },
    { id: "rate", label: "Mbit/s" },
  ],
  cases: [
    ...MTUS.map((mtu): Case => ({
      name: `${mtu} bytes, a router that says so`,
      run: (bench) => run(bench, "left", (lab) => lab.narrow(mtu)),
    })),
    ...MTUS.map((mtu): Case => ({
      name: `${mtu} bytes, and nobody says so`,
      run: (bench) => run(bench, "right", (lab) => lab.harm({ mtu })),
    })),
  ],
};
