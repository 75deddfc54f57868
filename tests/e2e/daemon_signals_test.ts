import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { connectionRecord } from "../samples/sync_records.ts";

labTest(
  "SIGQUIT ends the daemon with status 0",
  "d-sq",
  [],
  async ({ left }) => {
    const daemon = startDaemon(left, ["-D", "-d", "tun7", "-E", "x"]);
    await daemon.line(/tunnel is set up/);
    assert.equal((await daemon.stop("SIGQUIT")).code, 0);
    await daemon.line(/NOTICE: SIG-Quit caught, exiting/);
  },
);

labTest(
  "a second signal changes nothing about the end",
  "d-s2",
  [],
  async ({ left }) => {
    const daemon = startDaemon(left, ["-D", "-d", "tun7", "-E", "x"]);
    await daemon.line(/tunnel is set up/);
    Deno.kill(daemon.pid, "SIGTERM");
    assert.equal((await daemon.stop("SIGTERM")).code, 0);
    assert.equal(await left.hasDevice("tun7"), false);
  },
);

labTest(
  "a daemon whose log nobody reads goes on, and SIGTERM ends it",
  "d-sp",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const [fifo, log] = [folder.file("fifo"), folder.file("log")];
    await left.exec("mkfifo", fifo);
    // Open for both, so that there is a reader, who never reads. It is nearly
    // full, or as full as it gets: its size is the system's affair.
    const silent =
      'exec 3<>"$0" && { timeout 1 head -c 60000 /dev/zero >&3; exec "$@" >&3; }';
    const [program = "", ...args] = fromSource.command;
    const daemon = left.spawn("sh", "-c", silent, fifo, program, ...[
      ...[...args, "-D", "-d", "tun7", "-E", "x"],
      ...["-L", "stdout:5", "-L", `file:5,${log}`],
    ]);
    await lineIn(log, /NOTICE: tunnel is set up/);
    await until("the log is full", 60, () => {
      Deno.kill(daemon.pid, "SIGUSR2");
      return /a log target failed: .*nobody reads it/
        .test(Deno.readTextFileSync(log));
    });
    Deno.kill(daemon.pid, "SIGTERM");
    await lineIn(log, /NOTICE: SIG-Term caught, exiting/);
    assert.equal((await daemon.ended).code, 0);
  },
);

labTest(
  "a daemon that cannot start ends, also if its standard error is full and nobody reads it",
  "d-sf",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const fifo = folder.file("fifo");
    await left.exec("mkfifo", fifo);
    // As full as it gets.
    const silent =
      'exec 3<>"$0" && { timeout 1 cat /dev/zero >&3; exec "$@" 2>&3; }';
    const [program = "", ...args] = fromSource.command;
    const daemon = left.spawn("sh", "-c", silent, fifo, program, ...[
      ...[...args, "-D", "-d", "tun7", "-E", "x", "-L", "stdout:5"],
      ...["-P", folder.file("none/pid")],
    ]);
    await daemon.line(/exiting: can't open pid file/);
    await until("it ends", 60, () => daemon.hasEnded);
    assert.equal((await daemon.ended).code, 255);
  },
);

labTest(
  "SIGUSR2 logs the counters, and to a new file if the old one was moved",
  "d-su",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const log = folder.file("log");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"],
      ...["-m", "9", "-L", `file:3,${log}`],
    ]);
    await lineIn(log, /NOTICE: tunnel is set up/);
    await left.exec("ping", "-c1", "-W5", "-q", "10.99.0.1");
    Deno.renameSync(log, `${log}.1`);
    Deno.kill(daemon.pid, "SIGUSR2");
    await lineIn(`${log}.1`, /NOTICE: SIG-Usr2 caught/);
    await lineIn(log, /NOTICE: connection 9: 0 packets out, 0 bytes out, /);
    await lineIn(log, /NOTICE: dropped: \d+ with nowhere to send them, /);
  },
);

labTest(
  "what the kernel drops since nobody reads it is among the counters, also without privileges",
  "d-sk",
  [],
  async ({ left }) => {
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-n", "10.99.0.1/24", "-u", "nobody"],
      ...["-L", "stdout:4"],
    ]);
    await daemon.line(/tunnel is set up/);
    Deno.kill(daemon.pid, "SIGSTOP");
    // Of which the queue of a device holds a thousand at the most by itself.
    const flood = "ping -q -l 2000 -c 2000 -W 1 10.99.0.2 || true";
    await left.exec("sh", "-c", flood);
    Deno.kill(daemon.pid, "SIGCONT");
    Deno.kill(daemon.pid, "SIGUSR2");
    const line = await daemon.line(/NOTICE: dropped: /);
    const [, lost] = /(\d+) for a full device/.exec(line) ?? [];
    assert.ok(Number(lost) >= 1000, line);
  },
);

labTest(
  "SIGUSR2 logs the counters of every connection, also of those that others told of",
  "d-sa",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    const records = [4, 9000].map((mux) => connectionRecord({ mux }));
    Deno.writeTextFileSync(file, records.map(encodeRecord).join("\n"));
    const control = "127.0.0.1:2323";
    const controld = startDaemon(left, [
      ...["controld", "-D", "-L", "stdout:4", "-f", file, "-X", control],
    ]);
    await controld.line(/sync server listening/);
    const daemon = startDaemon(left, [
      ...["-D", "-L", "stdout:3", "-d", "tun7", "-t", "tun", "-E", "x"],
      ...["-m", "9", "-X", control],
    ]);
    await daemon.line(/tunnel is set up/);
    await daemon.line(/sync: connected to/);
    // What the control daemon tells may come a moment after the line.
    const seen = new Set<string | undefined>();
    await until("three connections are counted", 10, async () => {
      Deno.kill(daemon.pid, "SIGUSR2");
      await daemon.line(/NOTICE: dropped: /, undefined, daemon.lines.length);
      for (const line of daemon.lines) {
        const mux = /NOTICE: connection (\d+): 0 packets out, /.exec(line)?.[1];
        if (mux !== undefined) seen.add(mux);
      }
      return seen.size >= 3;
    });
    assert.deepEqual([...seen].toSorted(), ["4", "9", "9000"]);
  },
);

labTest(
  "without privileges, too, the log goes on in the file of its owner",
  "d-sr",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const log = folder.file("log");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-u", "nobody"],
      ...["-L", `file:3,${log}`],
    ]);
    await lineIn(log, /NOTICE: tunnel is set up/);
    // What belongs to root cannot be opened again, and need not be.
    Deno.kill(daemon.pid, "SIGUSR2");
    await lineIn(log, /NOTICE: connection 0/);
    assert.doesNotMatch(Deno.readTextFileSync(log), /stays in use/);

    // As logrotate(8) does it by "create 640 nobody".
    Deno.renameSync(log, `${log}.1`);
    Deno.writeTextFileSync(log, "", { mode: 0o640 });
    const [uid = 0, gid = 0] = ["Uid", "Gid"].map((ids) =>
      Number(new ProcView(daemon.pid).status(ids)[0])
    );
    Deno.chownSync(log, uid, gid);
    Deno.kill(daemon.pid, "SIGUSR2");
    await lineIn(log, /NOTICE: connection 0/);
  },
);

labTest(
  "SIGHUP asks for the address of the peer again, and opens new log files",
  "d-sh",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const log = folder.file("log");
    const hosts = folder.file("hosts");
    Deno.writeTextFileSync(hosts, "192.0.2.77 peer.test\n");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"],
      ...["-L", "stdout:4", "-L", `file:3,${log}`, "-r", "peer.test", "-4"],
    ], { hosts });
    await daemon.line(/added connection remote host 192\.0\.2\.77:4444/);
    const peer = startDaemon(right, [
      ...["-D", "-d", "tun7", "-E", "x", "-n", "10.99.0.2/24", "-e", "right"],
    ]);
    await peer.line(/tunnel is set up/);

    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/NOTICE: SIG-Hup caught/);
    await daemon.line(/INFO: remote host peer\.test is still 192\.0\.2\.77/);
    Deno.renameSync(log, `${log}.1`);
    Deno.writeTextFileSync(hosts, `${right.ipv4} peer.test\n`);
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(
      /NOTICE: remote host peer\.test is now 192\.0\.2\.2:4444/,
    );
    await lineIn(log, /NOTICE: remote host peer\.test is now/);
    await left.ping("10.99.0.2");

    // A name that is gone changes nothing.
    Deno.writeTextFileSync(hosts, "127.0.0.1 localhost\n");
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(
      /ERROR: Cannot resolve 'peer\.test'.*keeping the old address/,
    );
    await left.ping("10.99.0.2");
  },
);
