// What the log says when nothing comes through: one lab, several breakages.
import assert from "node:assert/strict";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand } from "../../lab/missing.ts";
import { asBinary, fromSource, type OurProgram } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { Cause, CAUSE_WORDS } from "../../src/tunnel/causes.ts";

const [LEFT, RIGHT] = ["10.99.0.1", "10.99.0.2"];
const BASE = ["-D", "-d", "tun7", "-p", "4444", "--log-format", "json"];
/** Whoever is looked at runs as in real life: without privileges. */
const LOOKED_AT = ["-u", "nobody"];

/** What a firewall drops on its way out the sender is told of. */
const FIREWALL = "table inet at { chain out { type filter hook output " +
  "priority 0; ip daddr 192.0.2.66 udp dport 4444 drop; }; }";

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

type Daemon = ReturnType<typeof startDaemon>;

function start(host: LabHost, ...options: readonly string[]): Daemon {
  return startAs(fromSource, host, ...options);
}

function startAs(
  program: OurProgram,
  host: LabHost,
  ...options: readonly string[]
): Daemon {
  const all = [...BASE, ...LOOKED_AT, ...options];
  const args = all.includes("-E") ? all : [...all, "-E", "x"];
  return startDaemon(host, args, { program });
}

function left(lab: Lab, ...options: readonly string[]): Daemon {
  return start(lab.left, "-n", `${LEFT}/24`, ...options);
}

function right(lab: Lab, ...options: readonly string[]): Daemon {
  return start(
    lab.right,
    ...["-n", `${RIGHT}/24`, "-e", "right", "-r", lab.left.ipv4],
    ...options,
  );
}

/** Nobody answers, or it does not matter. */
async function ping(host: LabHost, to: string): Promise<void> {
  await host.exec("ping", "-c", "3", "-i", "0.2", "-W", "0.2", to)
    .catch(() => {});
}

async function causeIn(daemon: Daemon, cause: Cause): Promise<Line> {
  const line: Line = JSON.parse(
    await daemon.line(new RegExp(`"cause":"${cause}"`)),
  );
  assert.ok(line.message.includes(CAUSE_WORDS[cause]), line.message);
  return line;
}

async function ready(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) await daemon.line(/tunnel is set up/);
}

async function stop(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) await daemon.stop();
}

labTest(
  "a line of the log names the cause, the peer and the option, whatever keeps a tunnel from carrying",
  "d-cause",
  [],
  async (lab) => {
    // Keys.
    let [one, other] = [left(lab), right(lab, "-E", "y")];
    await ready(one, other);
    await ping(lab.right, LEFT);
    let line = await causeIn(one, Cause.WRONG_TAG);
    assert.equal(line.mux, 0);
    assert.equal(line.endpoint, `${lab.right.ipv4}:4444`);
    assert.match(line.message, /keys/);
    // Whom nobody has been heard of.
    await ping(lab.left, RIGHT);
    line = await causeIn(one, Cause.NOWHERE_TO_SEND);
    assert.match(line.message, /to 10\.99\.0\.2: .*connection 0 has not been/);
    await stop(one, other);

    // The number of the connection.
    [one, other] = [left(lab), right(lab, "-m", "7")];
    await ready(one, other);
    await ping(lab.right, LEFT);
    line = await causeIn(one, Cause.UNKNOWN_MUX);
    assert.match(line.message, /mux 7 .*--mux .* it is 0/);
    await stop(one, other);

    // What is found by trying other values.
    const faults: readonly (readonly [string, ...string[]])[] = [
      ["--role", "-e", "left"],
      ["--kd-prf", "-k", "aes-ctr-256"],
      ["--auth-tag-length", "-b", "12"],
    ];
    for (const [option, ...others] of faults) {
      [one, other] = [left(lab), right(lab, ...others)];
      await ready(one, other);
      const pinging = lab.right.spawn("ping", "-i", "0.2", LEFT);
      line = JSON.parse(await one.line(/"option":/));
      assert.equal(line.option, option, line.message);
      assert.equal(line.cause, Cause.WRONG_TAG);
      await pinging.stop();
      await stop(one, other);
    }

    // The cipher: the tag is right.
    [one, other] = [left(lab), right(lab, "-c", "null")];
    await ready(one, other);
    await ping(lab.right, LEFT);
    line = await causeIn(one, Cause.WRONG_PAYLOAD_TYPE);
    assert.match(line.message, /--cipher/);
    await stop(one, other);

    // The kind of device, and a peer that comes back without its numbers.
    const tap = ["-d", "tap7", "-t", "tap"];
    const forgetful = [...tap, "-s", "7", "--state-dir", "none"];
    [one, other] = [left(lab, "-w", "4"), right(lab, ...forgetful)];
    await ready(one, other);
    await ping(lab.right, LEFT);
    line = await causeIn(one, Cause.WRONG_PAYLOAD_TYPE);
    assert.match(line.message, /0x6558 .*tap device.*tun device/);
    for (let k = 0; k < 8; k++) await ping(lab.right, LEFT);
    await stop(other);
    other = right(lab, ...forgetful);
    await ready(other);
    await ping(lab.right, LEFT);
    line = await causeIn(one, Cause.REPLAY);
    assert.match(line.message, /seq:\d+ sid: 7: .*counts from 0.*--state-dir/);
    await stop(one, other);
  },
);

labTest(
  "a line of the log says why a datagram cannot be sent",
  "d-send",
  [missingCommand("nft")],
  async (lab) => {
    await lab.left.exec("nft", FIREWALL);
    const cases: readonly (readonly [Cause, string, string])[] = [
      [Cause.NO_ROUTE, "198.51.100.7", lab.left.ipv4],
      [Cause.NOT_PERMITTED, "192.0.2.66", lab.left.ipv4],
      [Cause.NO_SOCKET, lab.right.ipv6, lab.left.ipv4],
    ];
    for (const engine of ["auto", "webcrypto"]) {
      for (const [cause, remote, local] of cases) {
        const options = ["-r", remote, "-i", local, "--engine", engine];
        const daemon = left(lab, ...options);
        await ready(daemon);
        await ping(lab.left, RIGHT);
        const line = await causeIn(daemon, cause);
        assert.ok(String(line.endpoint).includes(remote), line.message);
        await stop(daemon);
      }
    }

    // A way that leads into the tunnel itself, on both planes.
    for (const engine of ["auto", "webcrypto"]) {
      const daemon = left(lab, "-r", lab.right.ipv4, "--engine", engine);
      await ready(daemon);
      await lab.left.ip("route", "add", lab.right.ipv4, "dev", "tun7");
      const { message } = await causeIn(daemon, Cause.LOOP);
      assert.match(message, /192\.0\.2\.2:4444 .*\(tun7\)/);
      await stop(daemon);
    }

    // The path takes less, and nobody has looked at it since.
    const full = ["-r", lab.right.ipv4, "--mtu-disc", "yes"];
    const daemon = left(lab, ...full);
    await ready(daemon);
    const large = ["-i", "0.02", "-s", "1372", "-M", "dont", RIGHT];
    const pinging = lab.left.spawn("ping", ...large);
    await until("a datagram is too long", 60, async () => {
      await lab.left.ip("link", "set", "wire", "mtu", "1300");
      await lab.left.exec("sleep", "0.2");
      await lab.left.ip("link", "set", "wire", "mtu", "1500");
      await lab.left.exec("sleep", "1.2");
      return daemon.lines.some((line) => line.includes(`"${Cause.TOO_LONG}"`));
    });
    const { message } = await causeIn(daemon, Cause.TOO_LONG);
    assert.match(message, /192\.0\.2\.2:4444: .*\(--mtu\)/);
    await stop(pinging, daemon);
  },
);

for (const program of [fromSource, asBinary]) {
  labTest(
    `the log of anytun ${program.name} says when a peer is heard, does not answer, and is heard again`,
    `d-heard${program.letter}`,
    [program.missing],
    async (lab) => {
      using folder = new TestFolder();
      const state = ["--state-dir", folder.path];
      // Otherwise pings take what the host answers in a second.
      await lab.right.exec("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0");
      const one = startAs(
        program,
        lab.left,
        "-n",
        `${LEFT}/24`,
        "-r",
        lab.right.ipv4,
        "--silent-after",
        "1",
      );
      let other = right(lab, ...state, "--keepalive", "1");
      // Nothing is sent but what keeps alive.
      const heard = JSON.parse(await one.line(/"event":"heard"/));
      assert.match(heard.message, /connection 0 is heard for the first time/);
      assert.equal(heard.endpoint, `${lab.right.ipv4}:4444`);
      await other.stop();
      const pinging = lab.left.spawn("ping", "-i", "0.2", RIGHT);
      // On a busy machine it may have been silent before, or not heard so far.
      const silent = await one.line(
        /^(?=.*"cause":"peer-silent").*from 192\.0\.2\.2:4444 for \d+ s/,
      );
      assert.equal(JSON.parse(silent).event, "silent");
      const refused = await causeIn(one, Cause.REFUSED);
      assert.match(refused.message, /192\.0\.2\.2:4444: nobody listens there/);
      other = right(lab, ...state, "-p", "5555", "--keepalive", "1");
      await one.line(
        /^(?=.*"event":"heard-again").*"endpoint":"192\.0\.2\.2:5555"/,
      );
      await one.line(/autodetected remote host ip changed 192\.0\.2\.2:5555/);
      await pinging.stop();
      await stop(one, other);
    },
  );
}

labTest(
  "a peer that does not answer is found at another address of its name, and at a new one",
  "d-ddns",
  [],
  async (lab) => {
    using folder = new TestFolder();
    const hosts = folder.file("hosts");
    const stale = "192.0.2.77 peer.test\n";
    const present = `${lab.right.ipv4} peer.test\n`;
    for (const first of [stale + present, stale]) {
      // One that knows nobody yet.
      const other = start(lab.right, "-n", `${RIGHT}/24`, "-e", "right");
      Deno.writeTextFileSync(hosts, first);
      const one = startDaemon(lab.left, [
        ...[...BASE, ...LOOKED_AT, "-E", "x", "-n", `${LEFT}/24`],
        ...["-4", "-r", "peer.test", "--silent-after", "1"],
      ], { hosts });
      await one.line(/added connection remote host 192\.0\.2\.77:4444/);
      await ready(one, other);
      // The name server hears of it by now.
      if (first === stale) Deno.writeTextFileSync(hosts, present);
      await lab.left.ping(RIGHT);
      await one.line(/peer\.test is now 192\.0\.2\.2:4444: it did not answer/);
      await stop(one, other);
    }
  },
);

labTest(
  "the log says what is missing still once a tunnel is set up, and marks lines for the journal",
  "d-miss",
  [],
  async ({ left }) => {
    const daemon = start(left, "-r", "name.invalid");
    for (
      const cause of [
        Cause.DEVICE_DOWN,
        Cause.NO_ADDRESS,
      ]
    ) {
      const { message } = await causeIn(daemon, cause);
      assert.match(message, /^still missing: the device tun7 .*--ifconfig/);
    }
    await daemon.line(/still missing: an address of 'name\.invalid'/);
    const marked = daemon.lines.filter((line) => line.startsWith("<"));
    assert.deepEqual(marked, [], "nobody has said that it is the journal");
    await stop(daemon);

    // The stream that systemd would name.
    const named =
      'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec "$@"';
    const program = [...fromSource.command, "-D", "-E", "x", "-d", "tun8"];
    const journal = left.spawn("sh", "-c", named, "sh", ...program);
    await journal.line(/^<5>NOTICE: tunnel is set up$/);
    await journal.line(/^<4>WARNING: passphrase is on the command line/);
    await stop(journal);
  },
);
