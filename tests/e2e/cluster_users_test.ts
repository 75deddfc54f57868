import assert from "node:assert/strict";
import { encodeRecord } from "../../src/sync/encode.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import type { LabProcess } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { fromSource } from "../../lab/programs.ts";
import { connectionRecord, routeRecord } from "../samples/sync_records.ts";
import { outputOf } from "../../lab/tools.ts";
import { until } from "../../lab/until.ts";

const CONTROL = "127.0.0.1:2323";
const USER = "daemon";

/** A cluster of one host: a file to serve, and places for sockets. */
class OneHost implements Disposable {
  readonly host: LabHost;
  readonly #folder = new TestFolder();
  #devices = 0;

  constructor(host: LabHost) {
    this.host = host;
  }

  /** The path of a file. */
  file(name: string): string {
    return this.#folder.file(name);
  }

  /** Starts a control daemon that knows one client. */
  async controld(at: string, ...args: string[]): Promise<LabProcess> {
    const file = this.file("clients");
    const records = ["-E", "one", "-m", "5", "-R", "10.0.0.0/8"];
    await Deno.writeTextFile(file, await outputOf("config", records));
    const controld = startDaemon(this.host, [
      ...["controld", "-D", "-L", "stdout:4", "-f", file, "-X", at],
      ...args,
    ]);
    await controld.line(/sync server listening/, 20);
    return controld;
  }

  /** Starts a daemon that is told of connections. */
  member(...args: string[]): LabProcess {
    const device = `at${this.#devices}`;
    const port = String(4444 + this.#devices++);
    return startDaemon(this.host, [
      ...["-D", "-L", "stdout:4", "-d", device, "-t", "tun", "-p", port],
      ...args,
    ]);
  }

  /** What root sees at a server. */
  async tables(at: string, ...args: string[]): Promise<string> {
    const asking = ["showtables", "-X", at, ...args];
    return await this.host.run([...fromSource.command, ...asking]);
  }

  /** Waits until root sees at a server what there is to see. */
  async shows(at: string, ...args: string[]): Promise<void> {
    const shown = async () => await this.tables(at, ...args) === TABLES;
    await until(`${at} shows the tables`, 20, shown);
  }

  /** Starts somebody else. */
  stranger(...args: string[]): LabProcess {
    return this.host.script("stranger.ts", ...args);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** Registers a test on one host. */
function hostTest(
  name: string,
  tag: string,
  body: (one: OneHost) => Promise<void>,
): void {
  labTest(name, tag, [], async ({ left }) => {
    using one = new OneHost(left);
    await body(one);
  });
}

const TABLES = "Client 5: not registered\nRoute: 10.0.0.0/8 -> 5\n";
const REFUSED =
  /sync client .* refused: it belongs to user 65534, and only root/;

/** How much of the tables another user gets at a port. */
async function taken(one: OneHost, port: string): Promise<string> {
  const stranger = one.stranger("take", "127.0.0.1", port);
  return await stranger.line(/the end after|has got/, 20);
}

hostTest(
  "another user of the host gets no keys from the port of a control daemon or a member",
  "cu0",
  async (one) => {
    // All addresses of both families: clients of IPv4 look like those of IPv6.
    const controld = await one.controld(":2323");
    const member = one.member("-X", CONTROL, "-S", "2324");
    await member.line(/sync: connected to/, 20);
    await one.shows("127.0.0.1:2324");
    await one.shows("[::1]:2323");
    for (
      const [port, server] of [["2323", controld], ["2324", member]] as const
    ) {
      assert.equal(await taken(one, port), "the end after 0 bytes");
      await server.line(REFUSED);
    }
  },
);

hostTest(
  "another user's server is not believed, wherever it listens",
  "cu1",
  async (one) => {
    const socket = one.file("socket");
    await Deno.mkdir(one.file("open"));
    await Deno.chmod(one.file("open"), 0o777);
    const path = one.file("open/socket");
    const records = encodeRecord(connectionRecord({ mux: 9 })) +
      encodeRecord(routeRecord("0.0.0.0/0", 9));
    for (const place of [["127.0.0.1", "2323"], [path, "-"]]) {
      await one.stranger("serve", ...place, records).line(/^listening/, 20);
    }
    const member = one.member(
      ...["-X", `${CONTROL},unix:${path}`, "-S", `unix:${socket}`],
    );
    await member.line(
      /cannot connect to 127\.0\.0\.1:2323 \(it belongs to user 65534, and only root/,
      20,
    );
    await member.line(/cannot connect to unix:.* \(it belongs to user 65534/);
    assert.equal(await one.tables(`unix:${socket}`), "");
    for (const at of [CONTROL, `unix:${path}`]) {
      await assert.rejects(one.tables(at), /it belongs to user 65534/);
    }
  },
);

hostTest(
  "with --sync-any-user every user gets keys, and is believed, over TCP",
  "cu2",
  async (one) => {
    const any = "--sync-any-user";
    await one.controld(CONTROL, any);
    assert.match(await taken(one, "2323"), /^has got \d{3,} bytes/);
    const record = encodeRecord(connectionRecord({ mux: 9 }));
    const stranger = one.stranger("serve", "127.0.0.1", "2324", record);
    await stranger.line(/^listening/, 20);
    assert.match(await one.tables("127.0.0.1:2324", any), /^Client 9:/);
  },
);

hostTest(
  "the socket of a server is for its user alone, who connects again without privileges",
  "cu3",
  async (one) => {
    const socket = one.file("socket");
    const at = `unix:${socket}`;
    const modes = async () => {
      const { mode, uid } = await Deno.stat(socket);
      return [(mode ?? 0) & 0o777, uid];
    };
    const controld = await one.controld(at);
    assert.deepEqual(await modes(), [0o600, 0]);
    const root = one.member("-X", at);
    await root.line(/sync: connected to unix:/, 20);
    const stranger = one.stranger("take", socket, "-");
    await stranger.line(/not connected: .*EACCES/, 20);
    // It cannot take the socket of its server away; a new one replaces it.
    await controld.stop("SIGKILL");
    await one.controld(at, "-u", USER).then((next) => next.stop("SIGKILL"));
    const user = (await Deno.stat(socket)).uid;
    assert.ok(user !== null && user > 0);

    const member = one.member("-X", at, "-u", USER);
    await member.line(/dropped privileges/, 20);
    const seen = root.lines.length;
    const next = await one.controld(at, "-u", USER);
    assert.deepEqual(await modes(), [0o600, user]);
    await member.line(/sync: connected to unix:/, 20);
    await root.line(/sync: connected to unix:/, 20, seen);
    await one.shows(at);
    const before = member.lines.length;
    await next.stop();
    await member.line(/sync: connection to unix:.* lost/, 20, before);
    await one.controld(at, "-u", USER);
    await member.line(/sync: connected to unix:/, 20, before);
    await one.stranger("take", socket, "-").line(/not connected: .*EACCES/, 20);
  },
);

hostTest(
  "members without privileges tell each other over loopback, and in a jail",
  "cu4",
  async (one) => {
    await one.controld(CONTROL, "-u", USER);
    const jail = one.file("jail");
    await Deno.mkdir(jail);
    const socket = `${jail}/socket`;
    const first = one.member(
      ...["-X", CONTROL, "-S", `unix:${socket}`, "-u", USER, "-C", jail],
    );
    await first.line(/sync: connected to/, 20);
    await one.shows(`unix:${socket}`);
    // Its name of the socket is the one that the jail has.
    const second = one.member(
      ...["-X", "unix:/socket", "-S", "2324", "-u", USER, "-C", jail],
    );
    await second.line(/sync: connected to unix:\/socket/, 20);
    await assert.rejects(
      one.tables("127.0.0.1:2324"),
      /it belongs to user \d+, and only root is trusted/,
    );
    await one.shows("127.0.0.1:2324", "--sync-any-user");
    const stranger = one.stranger("take", socket, "-");
    await stranger.line(/not connected: .*EACCES/, 20);
  },
);

hostTest(
  "64 idle connections of another user do not keep a member out",
  "cu5",
  async (one) => {
    const controld = await one.controld(CONTROL);
    const stranger = one.stranger("hold", "127.0.0.1", "2323", "64");
    await stranger.line(/^holding/, 20);
    const member = one.member("-X", CONTROL, "-S", "2324");
    await controld.line(/new sync client connected/, 20);
    await member.line(/sync: connected to/, 20);
    await one.shows("127.0.0.1:2324");
  },
);
