// Servers of a cluster that a daemon takes connections from.
import { places } from "./host_port.ts";
import { repeated } from "./option.ts";

export const syncServerRows = {
  syncHosts: repeated({
    group: "Cluster",
    short: "-M",
    long: "--sync-hosts",
    argument: "host:port,...",
    parse: places,
    help: "servers to take connections from, each host:port or unix:<path>; " +
      "may be given several times (port 2323 unless given)",
  }),
  controlHosts: repeated({
    group: "Cluster",
    short: "-X",
    long: "--control-host",
    argument: "host:port,...",
    parse: places,
    help: "anytun-controld to take connections from; the same as -M",
  }),
};
