import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";
import { INNER6 } from "../tunnel.ts";

/** One TCP connection over IPv6 inside the tunnel. */
export const ipv6: Scenario = {
  name: "ipv6",
  metrics: transferMetrics("ipv6", "TCP over IPv6"),
  run: (bench) => transfer(bench, "ipv6", { address: INNER6.right }),
};
