/** A member of a cluster without a data plane, for measurements of sync. */
import { OTHERS_LOG_LIMIT } from "../../src/daemon/run_program.ts";
import { SyncMember } from "../../src/daemon/sync_member.ts";
import { SyncState } from "../../src/daemon/sync_state.ts";
import type { Logger } from "../../src/log/logger.ts";
import { RateLimitedLog } from "../../src/log/rate_limited_log.ts";
import { delay } from "../../src/net/delay.ts";
import { every } from "../../src/net/every.ts";
import { connectTcp } from "../../lab/deno_tcp.ts";
import type { TcpStream } from "../../src/sync/streams.ts";
import { listenTcp } from "../../lab/deno_listener.ts";
import { RouteTable } from "../../src/route/table.ts";
import { ConnectionTable } from "../../src/tunnel/connection_table.ts";
import { putEndpoint } from "../../src/tunnel/endpoint_words.ts";
import { LeavingKeys } from "../../src/tunnel/leaving_keys.ts";
import { parseAddress } from "../../src/net/address.ts";

const nothing = () => {};

const silentLog: Logger = {
  ...{ error: nothing, warning: nothing, notice: nothing },
  ...{ info: nothing, debug: nothing },
};

/** What has come over all links, and when the last of it did. */
export interface Traffic {
  bytes: number;
  last: number;
}

export class BenchMember {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly state: SyncState;
  readonly #member: SyncMember;
  readonly #links = new Set<TcpStream>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    port: number,
    others: readonly number[],
    readonly traffic: Traffic,
  ) {
    const { table } = this;
    const elapsed = () => performance.now();
    const limited = new RateLimitedLog(silentLog, OTHERS_LOG_LIMIT, elapsed);
    this.state = new SyncState({
      table,
      routeTable: new RouteTable(RouteTable.allocate()),
      interfaceIndex: () => undefined,
      ...{ delay, elapsed, limited },
      prepare: () => {},
      leaving: new LeavingKeys({ table, delay, dropRetired: () => {} }),
    });
    const at = (port: number) => ({ host: "127.0.0.1", port });
    this.#member = new SyncMember(
      {
        ...{ syncServer: at(port), syncServers: others.map(at) },
        ...{ syncTls: undefined, syncAnyUser: true },
        ...{ controlHosts: [], memberRights: "all" },
        ...{ routing: true, anySource: false, routes: [] },
      },
      {
        ...{ state: this.state, kdPrf: "aes-ctr-128", identity: undefined },
        ...{ logger: silentLog, limited },
      },
      {
        ...{ delay, elapsed, every, listenTcp },
        now: () => Date.now(),
        random: (words) => void crypto.getRandomValues(words),
        connectTcp: async (to, signal) =>
          this.#count(await connectTcp(to, signal)),
        openUnixStreams: () => {
          throw new Error("no unix sockets here");
        },
        openOwners: () => () => 0,
        effectiveUser: () => 0,
        lookup: () => Promise.reject(new Error("no names here")),
      },
    );
  }

  async start(): Promise<void> {
    const { signal: stop } = this.#stop;
    await this.#member.start({ stop, waiting: nothing, fail: nothing });
    this.#running = this.#member.run(stop);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.breakLinks();
    await this.#running;
  }

  get links(): number {
    return this.#links.size;
  }

  breakLinks(): void {
    for (const link of this.#links) link.close();
    this.#links.clear();
  }

  /** A peer is heard from somewhere else. */
  move(mux: number, address: string): void {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Error("no address");
    putEndpoint(this.table, mux, { address: parsed, port: 4444 });
    this.#member.moved(mux);
  }

  #count(stream: TcpStream): TcpStream {
    const { traffic } = this;
    const counted: TcpStream = {
      local: stream.local,
      remote: stream.remote,
      read: async (into) => {
        const size = await stream.read(into).catch(() => null);
        if (size === null) this.#links.delete(counted);
        if (size !== null) {
          traffic.bytes += size;
          traffic.last = performance.now();
        }
        return size;
      },
      write: (bytes) => stream.write(bytes),
      close: () => stream.close(),
    };
    this.#links.add(counted);
    return counted;
  }
}
