import assert from "node:assert/strict";
import {
  exists,
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import {
  carriersOf,
  holdThreads,
  whyNoTracing,
} from "../../lab/held_threads.ts";
import type { LabHost } from "../../lab/host.ts";
import type { LabProcess } from "../../lab/process.ts";
import { missingCommand } from "../../lab/missing.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const TUNNEL = ["-d", "tun7", "-E", "secret", "-w", "64"];

/** Runs `anytun status` to its end. */
function status(host: LabHost, ...args: string[]) {
  return host.outcome([...fromSource.command, "status", ...args]);
}

function modeOf(path: string): string {
  const { mode, isSocket } = Deno.lstatSync(path);
  return isSocket ? ((mode ?? 0) & 0o7777).toString(8) : "no socket";
}

async function curl(host: LabHost, ...args: string[]): Promise<string> {
  return await host.exec("curl", "-s", "-m", "20", ...args);
}

/** How often `anytun status` asks who hangs up each time. */
async function timesAsked(host: LabHost, path: string): Promise<number> {
  const listener = Deno.listen({ transport: "unix", path });
  const serve = async () => {
    let times = 0;
    for await (const client of listener) {
      times++;
      client.close();
    }
    return times;
  };
  const times = serve();
  assert.equal((await status(host, path)).code, 255);
  listener.close();
  return await times;
}

async function started(daemon: LabProcess): Promise<LabProcess> {
  await daemon.line(/tunnel is set up/);
  return daemon;
}

/** Whoever sends what is no request is told so, and let go. */
async function hostileClients(path: string): Promise<void> {
  const answers = {
    "\0\xff\r\n\r\n": "HTTP/1.1 400",
    "GET / HTTP/1.1\r\n\r\n": "HTTP/1.1 400",
    "PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n": "HTTP/1.1 405",
    "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n": "HTTP/1.1 404",
    "POST /drain HTTP/1.1\r\nHost: x\r\n\r\n": "HTTP/1.1 421",
    ["GET /".padEnd(9000, "x")]: "HTTP/1.1 431",
    "": "",
  };
  for (const [words, expected] of Object.entries(answers)) {
    using client = await Deno.connect({ transport: "unix", path });
    await client.write(new TextEncoder().encode(words));
    await client.closeWrite();
    const into = new Uint8Array(12);
    const size = await client.read(into) ?? 0;
    assert.equal(new TextDecoder().decode(into.subarray(0, size)), expected);
  }
  // Half of a request, and many of them.
  const silent = await Promise.all(Array.from({ length: 50 }, async () => {
    const client = await Deno.connect({ transport: "unix", path });
    // Some have had to give way already.
    await client.write(new TextEncoder().encode("GET /")).catch(() => {});
    return client;
  }));
  using client = await Deno.connect({ transport: "unix", path });
  const request = "GET /healthz HTTP/1.0\r\n\r\n";
  await client.write(new TextEncoder().encode(request));
  const text = await new Response(client.readable).text();
  assert.match(text, /carries packets/);
  for (const one of silent) one.close();
}

labTest(
  "a daemon tells root alone of itself, from its start to its end",
  "s-sock",
  [missingCommand("curl")],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const path = folder.file("vpn.sock");
    const daemon = await started(startDaemon(left, [
      ...["-D", ...TUNNEL, "-e", "left", "-n", "10.99.0.1/24"],
      ...["-r", right.ipv4, "-R", "10.1.0.0/16", "--status-socket", path],
    ]));
    await started(startDaemon(right, [
      ...["-D", ...TUNNEL, "-e", "right", "-n", "10.99.0.2/24"],
      ...["-r", left.ipv4, "--status-socket", "off"],
    ]));
    await left.ping("10.99.0.2");
    assert.equal(modeOf(path), "600");
    const { code, stdout, stderr } = await status(left, path);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    const [head = "", ...lines] = stdout.trimEnd().split("\n");
    assert.match(head, /^anytun \(tun7\): running for /);
    assert.match(
      lines.at(-1) ?? "",
      /^0 +192\.0\.2\.\d +192\.0\.2\.\d:4444 +\d+ s ago +\d.* B\/s +\d.* B\/s +0 +- +1500$/,
    );
    assert.ok(!stdout.includes("secret"));
    const json = await status(left, path, "--json");
    const { connections: [connection], ...report } = JSON.parse(json.stdout);
    assert.equal(report.device.mtu, 1400);
    assert.deepEqual(connection.routes, ["10.1.0.0/16"]);
    assert.ok(connection.counters.packets_in_total >= 1);
    const dump = (await status(left, path, "--dump")).stdout.split("\n");
    assert.deepEqual(dump.map((line) => line.split("\t")[0]), [
      ...["tunnel", "connection", ""],
    ]);
    const other = ["setpriv", "--reuid=65534", "--clear-groups"];
    const refused = await left.exec(
      ...["sh", "-c"] as const,
      `${other.join(" ")} curl -s --unix-socket ${path} http://x/ || echo $?`,
    );
    assert.equal(refused.trim(), "7");
    await hostileClients(path);
    assert.equal((await status(left, path)).code, 0);
    const watch = [...fromSource.command, "status", path, "--watch"];
    const watching = left.spawn("env", ...watch);
    await watching.line(/B\/s +0 +- +1500$/);
    const seen = watching.lines.length;
    await watching.line(/^anytun \(tun7\)/, 30, seen);
    await watching.stop("SIGKILL");
    assert.ok(!watching.lines.join("").includes("\x1b"), "it is no terminal");
    assert.equal((await daemon.stop()).code, 0);
    assert.equal(exists(path), false, "it is removed at the end");
    const gone = await status(left, path);
    assert.equal(gone.code, 255);
    assert.match(
      gone.stderr,
      /^anytun-status: .*vpn\.sock: no daemon answers here/,
    );
  },
);

labTest(
  "the socket of a dead daemon gives way, that of a living one and what is none do not",
  "s-stale",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const path = folder.file("vpn.sock");
    const args = ["-D", ...TUNNEL, "--status-socket", path];
    const dead = await started(startDaemon(left, args));
    await dead.stop("SIGKILL");
    assert.equal(modeOf(path), "600", "it is left behind");
    const nobody = await status(left, path);
    assert.equal(nobody.code, 255);
    const living = await started(startDaemon(left, args));
    const second = await runDaemon(right, args);
    assert.equal(second.code, 255);
    assert.match(
      second.text,
      /another server listens there \(--status-socket\)/,
    );
    assert.equal((await status(left, path)).code, 0, "it is the first one's");
    // By itself a daemon goes on without.
    const environment = { env: { RUNTIME_DIRECTORY: folder.path } };
    Deno.renameSync(path, folder.file("anytun.sock"));
    const beside = startDaemon(right, ["-D", ...TUNNEL], environment);
    await beside.line(/WARNING: .*another server listens .*cannot ask this/);
    await started(beside);
    await beside.stop();
    await living.stop();
    const victim = folder.file("victim");
    Deno.writeTextFileSync(victim, "root's own");
    for (const kind of ["symlink", "fifo", "file", "folder"]) {
      const place = folder.file(kind);
      if (kind === "symlink") Deno.symlinkSync(victim, place);
      else if (kind === "fifo") await left.exec("mkfifo", place);
      else if (kind === "file") Deno.writeTextFileSync(place, "x");
      else Deno.mkdirSync(place);
      const end = await runDaemon(left, [
        ...["-D", ...TUNNEL, "--status-socket", place],
      ]);
      assert.equal(end.code, 255, kind);
      assert.match(end.text, /it exists and is not a socket/, kind);
    }
    assert.equal(Deno.readTextFileSync(victim), "root's own");
  },
);

labTest(
  "a daemon in the background, another user's and one in a jail is asked as any other",
  "s-drop",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const jail = folder.file("jail");
    Deno.mkdirSync(jail);
    const run = folder.file("run");
    for (
      const [name, args] of Object.entries({
        plain: [],
        user: ["-u", "nobody"],
        jail: ["-u", "nobody", "-C", jail],
      })
    ) {
      const pidFile = folder.file(`${name}.pid`);
      const log = folder.file(`${name}.log`);
      const end = await runDaemon(left, [
        ...[...TUNNEL, "-P", pidFile, "-L", `file:4,${log}`, ...args],
        ...["--metrics", "9100", "-n", "10.44.0.1/24"],
      ], { env: { RUNTIME_DIRECTORY: run } });
      assert.deepEqual(end, { code: 0, text: "" }, name);
      const daemon = ProcView.fromPidFile(pidFile);
      const path = `${run}/anytun.sock`;
      assert.equal(modeOf(path), "600");
      assert.equal(Deno.lstatSync(path).uid, 0);
      assert.equal((Deno.lstatSync(run).mode ?? 0) & 0o777, 0o755);
      const { code, stdout, stderr } = await status(left, path, "--json");
      assert.equal(stderr, "", name);
      assert.equal(code, 0, name);
      assert.equal(JSON.parse(stdout).isCarrying, true);
      await until(
        "it sees, with what it may do still, that all is well",
        20,
        async () =>
          await curl(left, "http://127.0.0.1:9100/readyz") === "fit\n",
      );
      daemon.kill("SIGTERM");
      await daemon.ended();
      await until(
        "its device is gone",
        9,
        async () => !await left.hasDevice("tun7"),
      );
      assert.equal(
        exists(path),
        name !== "plain",
        "where it may, it removes it",
      );
      await lineIn(log, /SIG-Term caught/);
      assert.doesNotMatch(Deno.readTextFileSync(log), /not permitted/);
    }
  },
);

labTest(
  "metrics are those of promtool, of loopback alone, and not for pages elsewhere",
  "s-prom",
  [missingCommand("promtool"), missingCommand("curl")],
  async ({ left, right }) => {
    const daemon = await started(startDaemon(left, [
      ...["-D", ...TUNNEL, "--metrics", "9100", "-r", right.ipv4],
    ]));
    const metrics = await curl(left, "http://127.0.0.1:9100/metrics");
    const check = ["promtool", "check", "metrics"];
    assert.equal(await left.run(check, { input: metrics }), "");
    const report = await curl(left, "http://127.0.0.1:9100/status.json");
    assert.ok(JSON.parse(report).connections.length === 1);
    assert.doesNotMatch(metrics + report, /secret/, "keys are never told");
    const code = (...args: string[]) =>
      curl(left, "-o", "/dev/null", "-w", "%{http_code}", ...args);
    const url = "http://127.0.0.1:9100/metrics";
    assert.equal(await code(url), "200");
    assert.equal(await code("-H", "Host: evil.example", url), "421");
    assert.equal(await code("-X", "POST", url), "405");
    assert.equal(await code("-d", "x", url), "413");
    assert.equal(await code("-I", url), "200");
    const outside = await right.exec(
      ...["sh", "-c"] as const,
      `curl -s -m 5 http://${left.ipv4}:9100/metrics || echo $?`,
    );
    assert.equal(outside.trim(), "7");
    await daemon.stop();
  },
);

/** Half of them say nothing, half ask, and read no more than one byte. */
const CROWD = `
const port = 9100;
const all = [];
for (let k = 0; k < 200; k++) {
  const one = await Deno.connect({ port });
  all.push(one);
  if (k % 2 === 0) continue;
  const request = "GET /status.json HTTP/1.0\\r\\n\\r\\n";
  await one.write(new TextEncoder().encode(request));
  await one.read(new Uint8Array(1));
}
console.log("all");
await new Promise((resolve) => setTimeout(resolve, 1e6));
`;

/** Ends its request when it is told to. */
const SLOW = `
const one = await Deno.connect({ port: 9100 });
const say = (text) => one.write(new TextEncoder().encode(text));
await say("GET /healthz HTTP/1.0\\r\\n");
console.log("half");
await Deno.stdin.read(new Uint8Array(1));
await say("\\r\\n");
console.log(await new Response(one.readable).text());
console.log("end");
`;

const TAKEN = `
Deno.listen({ hostname: "127.0.0.1", port: 9102 });
console.log("taken");
await new Promise((resolve) => setTimeout(resolve, 1e6));
`;

/** One who opens connections without an end takes from itself alone. */
async function otherUsers(host: LabHost): Promise<void> {
  const crowd = host.script("stranger.ts", "crowd", "127.0.0.1", "9100");
  await crowd.line(/^opened 100$/);
  const slow = host.spawn(Deno.execPath(), "eval", SLOW);
  await slow.line(/^half$/);
  // More than may wait to be accepted.
  for (let k = 0; k < 4; k++) {
    await crowd.line(/^opened/, undefined, crowd.lines.length);
  }
  await slow.tell("");
  await slow.line(/^end$/);
  assert.match(slow.lines.join("\n"), /^carries packets$/m);
  await crowd.stop("SIGKILL");
}

labTest(
  "clients that stay silent, do not read or come without an end keep nobody from the metrics",
  "s-slow",
  [missingCommand("curl")],
  async ({ left }) => {
    // So that an answer is more than the kernel takes of it.
    const room = { rmem: "4096 4096 4096", wmem: "4096 16384 16384" };
    for (const [way, bytes] of Object.entries(room)) {
      await left.exec("sysctl", "-qw", `net.ipv4.tcp_${way}=${bytes}`);
    }
    const routes = Array.from(
      { length: 6000 },
      (_, k) => `10.${k >> 8}.${k & 255}.0/24`,
    );
    const daemon = await started(startDaemon(left, [
      ...["-D", ...TUNNEL, "--metrics", "9100", "-R", routes.join()],
    ]));
    const files = () => new ProcView(daemon.pid).names("fd").length;
    const isWell = async () => {
      const text = await curl(left, "http://127.0.0.1:9100/healthz");
      assert.match(text, /^carries packets/);
    };
    await isWell();
    const before = files();
    const crowd = left.spawn(Deno.execPath(), "eval", CROWD);
    await crowd.line(/all/);
    for (let k = 0; k < 20; k++) await isWell();
    assert.ok(files() <= before + 20, "their places are bounded");
    await otherUsers(left);
    await until("they are let go", 30, () => files() <= before);
    await daemon.stop();
  },
);

labTest(
  "a thread that stands still is told by /healthz, until it goes on",
  "s-hang",
  [missingCommand("curl"), whyNoTracing()],
  async ({ left }) => {
    const daemon = await started(startDaemon(left, [
      ...["-D", ...TUNNEL, "--metrics", "9100", "--workers", "2"],
      ...["-n", "10.44.0.1/24"],
    ]));
    const health = (path: string) =>
      curl(left, "-w", "%{http_code}", `http://127.0.0.1:9100${path}`);
    assert.match(await health("/healthz"), /^carries packets\n.*200$/s);
    await until(
      "it is fit",
      20,
      async () => await health("/readyz") === "fit\n200",
    );
    const workers = carriersOf(new ProcView(daemon.pid));
    assert.equal(workers.length, 2);
    const letGo = await holdThreads(left, workers.slice(1));
    // The answer before serves those who ask soon after, too.
    await until("it is told", 20, async () => {
      return (await health("/healthz")).endsWith("503");
    });
    const paths = ["/healthz", "/metrics"];
    const [live, metrics] = await Promise.all(paths.map(health));
    assert.match(live ?? "", /^does not carry packets\n.*503$/s);
    assert.match(metrics ?? "", /^anytun_up 0$/m);
    await until(
      "it is unfit",
      20,
      async () =>
        /^unfit: 1 of 2 threads of the data plane do not go round\n503$/
          .test(await health("/readyz")),
    );
    await letGo();
    await until("it carries again", 20, async () => {
      return (await health("/healthz")).endsWith("200");
    });
    await daemon.stop();
  },
);

labTest(
  "a HUP has the metrics elsewhere, or leaves everything as it was",
  "s-hup",
  [missingCommand("curl")],
  async ({ left }) => {
    using folder = new TestFolder();
    const config = folder.file("vpn.yaml");
    const write = (...lines: string[]) =>
      Deno.writeTextFileSync(
        config,
        [
          ...["dev: tun7", "passphrase: x", ...lines, ""],
        ].join("\n"),
        { mode: 0o600 },
      );
    write("metrics: 9100");
    const daemon = await started(startDaemon(left, ["-D", "--config", config]));
    const reportAt = async (port: number, host = "127.0.0.1") => {
      const url = `http://${host}:${port}/status.json`;
      const text = await left.exec(
        ...["sh", "-c"] as const,
        `curl -s -m 20 ${url} || true`,
      );
      return text === "" ? undefined : JSON.parse(text);
    };
    const names = async (port: number, host?: string) =>
      (await reportAt(port, host))?.name;
    assert.equal(await names(9100), "vpn");
    assert.equal((await reportAt(9100)).connections.length, 1);
    write("metrics: 9101", "metrics-connections: 0");
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/options that have changed: --metrics/);
    await until(
      "it is at the new port",
      20,
      async () => await names(9101) === "vpn",
    );
    const { connections, connectionCount } = await reportAt(9101);
    assert.deepEqual([connections, connectionCount], [[], 1]);
    assert.equal(await names(9100), undefined);
    const taken = left.spawn(Deno.execPath(), "eval", TAKEN);
    await taken.line(/taken/);
    write("metrics: 9102");
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(
      /ERROR: .*nothing is changed: Cannot listen on 127\.0\.0\.1, port 9102 \(--metrics.*\): Address already in use by another program$/,
    );
    assert.equal(await names(9101), "vpn");
    await taken.stop();
    // The same port: all addresses of it hold each of them.
    for (const metrics of ["0.0.0.0:9101", "localhost:9101"]) {
      const seen = daemon.lines.length;
      write(`metrics: "${metrics}"`);
      Deno.kill(daemon.pid, "SIGHUP");
      await daemon.line(/options that have changed: --metrics/, 20, seen);
      assert.equal(await names(9101), "vpn", metrics);
    }
    assert.equal(await names(9101, left.ipv4), undefined);
    for (
      const fault of [
        'metrics: "203.0.113.9:9101"',
        // Of a service that looks later.
        'metrics: "0.0.0.0:9101"\nremote-host: nobody.invalid',
      ]
    ) {
      const seen = daemon.lines.length;
      write(fault);
      Deno.kill(daemon.pid, "SIGHUP");
      await daemon.line(/ERROR: .*nothing is changed/, 20, seen);
      await until(
        "the metrics are back",
        20,
        async () => await names(9101) === "vpn",
      );
      assert.equal(await names(9101, left.ipv4), undefined);
    }
    write();
    Deno.kill(daemon.pid, "SIGHUP");
    await until(
      "there are none any more",
      20,
      async () => await names(9101) === undefined,
    );
    await daemon.stop();
  },
);

labTest(
  "what listens in the place of a daemon cannot act on the terminal",
  "s-fake",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const path = folder.file("evil.sock");
    const body = JSON.stringify({
      ...{ format: 1, name: "\x1b[2Jevil", version: "1", pid: 1, time: 1 },
      ...{ started: 0, state: "running", isCarrying: true, device: null },
      health: { state: "fit", reasons: ["\x1b[2J"], since: 0 },
      announcement: null,
      ...{ plane: "\x9b5m", listening: [], cluster: null, connections: [] },
      ...{ connectionCount: 0, totals: {}, counters: {} },
    });
    const answers = [
      `HTTP/1.1 200 OK\r\n\r\n${body}`,
      `HTTP/1.1 200 OK\r\n\r\n${body}`,
      "HTTP/1.1 200 OK\r\n\r\n" +
      body.replace('"totals":{}', '"totals":{"\x1b":-1}'),
      "",
      "SSH-2.0-x\r\n",
    ];
    using listener = Deno.listen({ transport: "unix", path });
    const told = [];
    for (const [k, answer] of answers.entries()) {
      const asked = status(left, path, k === 0 ? "--dump" : "--json");
      using client = await listener.accept();
      await client.read(new Uint8Array(512));
      await client.write(new TextEncoder().encode(answer));
      await client.closeWrite();
      told.push(await asked);
    }
    for (const { stdout, stderr } of told) {
      assert.doesNotMatch(stdout + stderr, /(?![\n\t])\p{Cc}/u);
    }
    assert.deepEqual(told.map(({ code }) => code), [0, 0, 255, 255, 255]);
    assert.match(told[0]?.stdout ?? "", /\\u001b\[2Jevil/);
    assert.match(told[1]?.stdout ?? "", /\\u001b\[2Jevil/);
    assert.match(told[4]?.stderr ?? "", /is no daemon of anytun/);
    assert.equal(await timesAsked(left, folder.file("mute.sock")), 1);
    for (const place of [`${path}.none`, path.replace(/.*\//, "")]) {
      const { code, stderr } = await status(left, place);
      assert.equal(code, 255);
      assert.match(stderr, /no daemon answers here; is it running/);
    }
  },
);
