/** Routing daemons that operators run, each on a host of a lab. */
import type { LabHost } from "./host.ts";
import { isFile, missingCommand } from "./missing.ts";
import type { LabProcess } from "./process.ts";

/** A routing daemon, or several that are one. */
export interface RoutingProgram {
  readonly name: "bird" | "frr";
  /** Why it can't be run here, or null if it can. */
  missing(): string | null;
  /**
   * Starts it on a host.
   *
   * @param folder An empty one, for its configuration and its sockets.
   * @param config What its file says.
   */
  start(host: LabHost, folder: string, config: string): Promise<Routing>;
}

/** Routing that runs on a host. */
export interface Routing {
  readonly daemons: readonly LabProcess[];
  /**
   * The neighbours that it exchanges routes with and watches, by address: that
   * both BGP and BFD have found.
   */
  neighbours(): Promise<readonly string[]>;
}

/** BIRD 2. */
export const bird: RoutingProgram = {
  name: "bird",
  missing: () => missingCommand("bird"),
  async start(host, folder, config) {
    const [file, socket] = [`${folder}/bird.conf`, `${folder}/bird.ctl`];
    await Deno.writeTextFile(file, config);
    const places = ["-c", file, "-s", socket, "-P", `${folder}/bird.pid`];
    // In the foreground it says what it does, with a log of its own.
    const daemon = host.spawn("bird", "-d", ...places);
    await daemon.line(/Started/);
    const show = (...what: string[]) =>
      host.exec("birdc", "-s", socket, "show", ...what);
    return {
      daemons: [daemon],
      async neighbours() {
        const protocols = await show("protocols", "all");
        const watched = watchedByBird(await show("bfd", "sessions"));
        return protocols.split(/\n(?=\S)/)
          .filter((text) => / BGP .* Established/.test(text))
          .map((text) => /Neighbor address: (\S+)/.exec(text)?.[1] ?? "")
          .filter((address) => watched.has(address));
      },
    };
  },
};

/** A line begins with the address and has the state in its third column. */
function watchedByBird(sessions: string): Set<string> {
  const rows = sessions.split("\n").map((line) => line.split(/\s+/));
  return new Set(
    rows.flatMap(([address = "", , state]) => state === "Up" ? [address] : []),
  );
}

/** Where Debian has the daemons, which nobody starts by hand. */
const FRR_FOLDER = "/usr/lib/frr";
const FRR_DAEMONS = ["zebra", "staticd", "bgpd", "bfdd"];

/** FRR, as far as BGP and BFD need it. */
export const frr: RoutingProgram = {
  name: "frr",
  missing: () =>
    FRR_DAEMONS.every((name) => isFile(`${FRR_FOLDER}/${name}`))
      ? missingCommand("vtysh")
      : "frr is not installed",
  async start(host, folder, config) {
    const file = `${folder}/frr.conf`;
    await Deno.writeTextFile(file, config);
    // Its daemons become a user of their own, and make sockets here.
    await host.exec("chown", "frr:frr", folder);
    const daemons: LabProcess[] = [];
    for (const name of FRR_DAEMONS) {
      const daemon = host.spawn(
        `${FRR_FOLDER}/${name}`,
        ...["--log", "stdout", "-u", "frr", "-g", "frr", "-P", "0"],
        ...["--vty_socket", folder, "-z", `${folder}/zserv.api`],
        ...["-i", `${folder}/${name}.pid`],
        ...name === "bfdd" ? ["--bfdctl", `${folder}/bfdd.sock`] : [],
      );
      daemons.push(daemon);
      await daemon.line(/ starting: /);
    }
    const vtysh = (...args: string[]) =>
      host.exec("vtysh", "--vty_socket", folder, ...args);
    await vtysh("-f", file);
    return {
      daemons,
      async neighbours() {
        const told = await vtysh("-c", "show bgp ipv4 unicast summary json");
        const { peers = {} }: { peers?: Record<string, { state: string }> } =
          JSON.parse(told);
        const watched: { peer: string; status: string }[] = JSON.parse(
          await vtysh("-c", "show bfd peers json"),
        );
        return watched
          .filter(({ status }) => status === "up")
          .map(({ peer }) => peer)
          .filter((peer) => peers[peer]?.state === "Established");
      },
    };
  },
};
