import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { formatPrefix } from "../../../src/net/prefix.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { runOf, RUNTIME } from "../../samples/command_lines.ts";

const KEY_128 = "000102030405060708090a0b0c0d0e0f";
const SALT = "0102030405060708090a0b0c0d0e";

function read(...argv: string[]) {
  const files = fakeHostFiles({
    key: { text: KEY_128 },
    salt: { text: SALT },
    phrase: { text: "secret" },
  });
  return readAnytunCommandLine(argv, RUNTIME, files);
}

/** What a line runs with, -D and a passphrase added. */
function run(...argv: string[]) {
  return runOf(read("-D", "-E", "secret", ...argv));
}

/** The report of a line, -D added, and whether it leads to the usage. */
function fail(...argv: string[]): { text: string; usage: boolean } {
  const result = read("-D", ...argv);
  assert.equal(result.kind, "error", JSON.stringify(result));
  assert.equal(result.status, 255);
  const text = result.stderr.replace(/see anytun --help\n$/, "");
  return { text, usage: text !== result.stderr };
}

/** Unless given. */
const HEALTH = {
  ...{ healthRise: 3, healthFall: 3, healthHold: 10 },
  ...{ healthSyncAge: 10, healthSyncLinks: undefined },
};

Deno.test("anytun has the defaults of the original, and any sender id", () => {
  assert.deepEqual(run().options, {
    foreground: true,
    startTimeout: 30,
    noSandbox: false,
    name: "anytun",
    configFile: undefined,
    logTargets: [{ kind: "stderr", level: 3 }],
    logFormat: "text",
    username: undefined,
    groupname: undefined,
    chroot: undefined,
    pidFile: undefined,
    postUp: undefined,
    downScript: undefined,
    localHost: undefined,
    localPort: 4444,
    remoteHost: undefined,
    remotePort: 4444,
    noRoaming: false,
    keepalive: 0,
    silentAfter: 30,
    sockets: { mark: 0, device: undefined },
    kernelRoutes: undefined,
    dscp: "off",
    ecn: false,
    netns: undefined,
    family: "any",
    device: { name: undefined, type: "tun" },
    ifconfig: [],
    metrics: undefined,
    metricsConnections: 1000,
    ...HEALTH,
    mtu: undefined,
    senderIds: { first: 0, last: 65535 },
    stateDir: undefined,
    statusSocket: undefined,
    allowWrap: false,
    mux: 0,
    windowSize: 0,
    role: "left",
    kdPrf: "aes-ctr-128",
    cipher: "aes-ctr-128",
    authAlgo: "sha1",
    tagLength: 10,
    cluster: {
      syncServer: undefined,
      syncServers: [],
      controlHosts: [],
      memberRights: "all",
      syncAnyUser: false,
      syncTls: undefined,
      routing: false,
      anySource: false,
      routes: [],
    },
    secrets: { passphrase: "secret", key: undefined, salt: undefined },
    keyChain: undefined,
    engine: "auto",
    workers: "auto",
    offloads: new Set(["tso", "uso", "gso", "gro", "coalesce"]),
    mss: "auto",
    mtuDiscovery: "no",
    announce: undefined,
    drainTime: 10,
  });
});

Deno.test("the MSS is bounded with tun unless it is off, and with tap only if asked", () => {
  const mssOf = (...line: string[]) => run(...line).options.mss;
  assert.equal(mssOf("-t", "tun"), "auto");
  assert.equal(mssOf("-t", "tap"), "off");
  assert.equal(mssOf("-t", "tap", "--mss", "auto"), "auto");
  assert.equal(mssOf("--mss", "off"), "off");
  assert.equal(mssOf("--mss", "1200"), 1200);
  for (const value of ["on", "87", "65535", "0", "1e3"]) {
    assert.match(fail("--mss", value).text, /--mss.*off, auto, or a number/);
  }
});

Deno.test("whether datagrams say not to be cut is one of three words", () => {
  const { options } = run("--mtu-disc", "maybe");
  assert.equal(options.mtuDiscovery, "maybe");
  const { text } = fail("--mtu-disc", "want");
  assert.match(text, /--mtu-disc want\n.*\n--mtu-disc needs no, maybe, yes/);
});

Deno.test("anytun takes every short option", () => {
  const line = "-u user -g group -C /jail -P /run/pid -x /bin/true " +
    "-L file:4,/var/log/a.log -i 2001:db8::1 -p 1 -s 2 -r vpn -o 3 " +
    `-6 -d tap7 -n 10.0.0.1/8 -m 4 -w 5 -k aes-ctr-192 -e bob -A ${SALT} ` +
    "-c aes-ctr-256 -b 12 -I ::1 -S 6 -M a:7 -X b -R 10.1.0.0/16";
  const { options } = run(...line.split(" "));
  const { ifconfig, secrets, ...others } = options;
  assert.deepEqual(others, {
    foreground: true,
    startTimeout: 30,
    noSandbox: false,
    name: "anytun",
    configFile: undefined,
    logTargets: [{ kind: "file", level: 4, path: "/var/log/a.log" }],
    logFormat: "text",
    username: "user",
    groupname: "group",
    chroot: "/jail",
    pidFile: "/run/pid",
    postUp: { script: "/bin/true", required: false },
    downScript: undefined,
    localHost: "2001:db8::1",
    localPort: 1,
    remoteHost: "vpn",
    remotePort: 3,
    noRoaming: false,
    keepalive: 0,
    silentAfter: 30,
    mss: "off",
    mtuDiscovery: "no",
    sockets: { mark: 0, device: undefined },
    kernelRoutes: undefined,
    dscp: "off",
    ecn: false,
    netns: undefined,
    family: "6",
    device: { name: "tap7", type: "tap" },
    metrics: undefined,
    metricsConnections: 1000,
    ...HEALTH,
    mtu: 1400,
    senderIds: { first: 2, last: 2 },
    stateDir: undefined,
    statusSocket: undefined,
    allowWrap: false,
    mux: 4,
    windowSize: 5,
    role: "right",
    kdPrf: "aes-ctr-192",
    cipher: "aes-ctr-256",
    authAlgo: "sha1",
    tagLength: 12,
    cluster: {
      syncServer: { host: "::1", port: 6 },
      syncServers: [{ host: "a", port: 7 }, { host: "b", port: 2323 }],
      controlHosts: [{ host: "b", port: 2323 }],
      memberRights: "all",
      syncAnyUser: false,
      syncTls: undefined,
      routing: false,
      anySource: false,
      routes: [{
        address: { family: 4, bytes: Uint8Array.of(10, 1, 0, 0) },
        length: 16,
      }],
    },
    keyChain: undefined,
    engine: "auto",
    workers: "auto",
    offloads: new Set(["tso", "uso", "gso", "gro", "coalesce"]),
    announce: undefined,
    drainTime: 10,
  });
  assert.deepEqual(ifconfig.map(formatPrefix), ["10.0.0.1/8"]);
  assert.equal(secrets?.passphrase, "secret");
  assert.equal(secrets?.salt?.length, 14);
});

Deno.test("a member of a cluster has sender id 0 unless it is told another", () => {
  for (const member of [["-S", "2323"], ["-M", "a"], ["-X", "a"]]) {
    assert.deepEqual(run(...member).options.senderIds, { first: 0, last: 0 });
    const told = run(...member, "-s", "256-511").options.senderIds;
    assert.deepEqual(told, { first: 256, last: 511 });
    const isWarned = (...argv: string[]) =>
      run(...argv).warnings.some((text) => /^--sender-id is 0, as/.test(text));
    assert.ok(isWarned(...member));
    assert.ok(!isWarned(...member, "-s", "0"));
  }
  assert.doesNotMatch(run().warnings.join(), /sender-id/);
});

Deno.test("anytun takes the same by long names", () => {
  const short =
    `-L stdout:1 -i ::1 -p 1 -s 2 -r vpn -o 3 -4 -d x -t tap -m 4 ` +
    `-w 5 -k null -e alice -E x -c null -a null -b 7 -D -U -n fd00::1/64 ` +
    `-u a -g b -C /c -P /p -x /x`;
  const long = `--log stdout:1 --interface ::1 --port 1 --sender-id 2 ` +
    `--remote-host vpn --remote-port 3 --ipv4-only --dev x --type tap --mux 4 ` +
    `--window-size 5 --kd-prf null --role alice --passphrase x --cipher null ` +
    `--auth-algo null --auth-tag-length 7 --nodaemonize --debug ` +
    `--ifconfig fd00::1/64 --username a --groupname b --chroot /c ` +
    `--write-pid /p --post-up-script /x`;
  const withoutLog = (line: string) => line.split(" ").slice(2);
  assert.deepEqual(read(...withoutLog(long)), read(...withoutLog(short)));
  const [keyed] = [`--key ${KEY_128} --salt ${SALT} --nodaemonize`];
  assert.deepEqual(
    read(...keyed.split(" ")),
    read("-K", KEY_128, "-A", SALT, "-D"),
  );
});

Deno.test("a repeated option overwrites, but logs and addresses collect", () => {
  const { options } = run(
    ..."-p 1 -p 2 -L stdout:1 -L file:2,a -L file:3,b".split(" "),
    ..."-n 10.0.0.1/8 -n fd00::1/64".split(" "),
  );
  assert.equal(options.localPort, 2);
  assert.deepEqual(options.logTargets.map(({ kind }) => kind), [
    "stdout",
    "file",
    "file",
  ]);
  assert.deepEqual(options.ifconfig.map(formatPrefix), [
    "10.0.0.1/8",
    "fd00::1/64",
  ]);
});

Deno.test("an empty value leaves the option as it was", () => {
  const { options } = run("-p", "5", "-p", "", "-r", "", "-e", "", "-E", "");
  assert.equal(options.localPort, 5);
  assert.equal(options.remoteHost, undefined);
  assert.equal(options.role, "left");
  assert.equal(options.secrets?.passphrase, "secret");
});

Deno.test("-4 and -6 choose the family, and exclude each other", () => {
  assert.equal(run("-4").options.family, "4");
  assert.equal(run("-6").options.family, "6");
  assert.deepEqual(fail("-4", "-6", "-E", "x"), {
    text: "syntax error: -4 and -6 are mutual exclusive\n\n",
    usage: true,
  });
});

Deno.test("an address of the family that is ruled out is refused", () => {
  const text = (...argv: string[]) => fail("-E", "x", ...argv).text;
  assert.equal(
    text("-6", "-i", "127.0.0.1"),
    "Cannot use --interface 127.0.0.1 with -6: it is an IPv4 address\n",
  );
  assert.equal(
    text("-4", "-r", "::1"),
    "Cannot use --remote-host ::1 with -4: it is an IPv6 address\n",
  );
  run("-4", "-r", "name", "-i", "127.0.0.1");
});

Deno.test("every role has its names, in lower case only", () => {
  for (const name of ["left", "alice", "server"]) {
    assert.equal(run("-e", name).options.role, "left");
  }
  for (const name of ["right", "bob", "client"]) {
    assert.equal(run("-e", name).options.role, "right");
  }
  const { text, usage } = fail("-e", "LEFT");
  assert.match(
    text,
    /^syntax error: unknown role name: LEFT\n\n--role \(-e\) needs /,
  );
  assert.ok(usage);
});

Deno.test("anytun goes to the background unless -D or -U is given", () => {
  const background = read("-E", "secret");
  assert.equal(background.kind, "run");
  assert.equal(background.options.foreground, false);
  assert.deepEqual(background.options.logTargets, [
    {
      ...{ kind: "syslog", level: 3, ident: undefined, facility: "daemon" },
      isDefault: true,
    },
  ]);
  const [asked] = run("-L", "syslog:3").options.logTargets;
  assert.equal(asked !== undefined && "isDefault" in asked, false);
  assert.equal(run("-U").options.foreground, true);
  assert.equal(run().options.foreground, true);
});

Deno.test("a start may take the seconds of --start-timeout, 0 for no end", () => {
  for (const seconds of [0, 1, 86400]) {
    const { options } = run("--start-timeout", String(seconds));
    assert.equal(options.startTimeout, seconds);
  }
});

Deno.test("a stream as log target is warned about in the background", () => {
  const result = read("-E", "x", "-L", "stdout:3", "-L", "file:3");
  assert.equal(result.kind, "run");
  const warned = result.warnings.filter((text) => text.includes("--log"));
  assert.deepEqual(warned, [
    "--log stdout has no effect without --nodaemonize (-D)",
  ]);
  assert.doesNotMatch(run("-L", "stdout:3").warnings.join(), /--log/);
});

Deno.test("an option that has no effect without another is warned about", () => {
  assert.match(run("-g", "b").warnings.join(), /--groupname has no effect/);
  assert.match(
    run("--post-up-required").warnings.join(),
    /--post-up-required has no effect/,
  );
  const both = run("-g", "b", "-u", "a", "--post-up-required", "-x", "/x");
  assert.doesNotMatch(both.warnings.join(), /no effect/);
  assert.deepEqual(both.options.postUp, { script: "/x", required: true });
});

Deno.test("a jail that root can leave is warned about", () => {
  assert.match(run("-C", "/jail").warnings.join(), /root can leave the jail/);
  assert.doesNotMatch(run("-C", "/jail", "-u", "a").warnings.join(), /jail/);
});

/** What a line without secrets that may do without comes to. */
function runWithout(...argv: string[]) {
  const result = read("-D", ...argv);
  assert.equal(result.kind, "run", JSON.stringify(result));
  return result;
}

const clusterOf = (...argv: string[]) => run(...argv).options.cluster;

Deno.test("there is routing with a server to follow and a device of exactly tun", () => {
  const routing = (...argv: string[]) => clusterOf(...argv).routing;
  assert.ok(routing("-M", "a"));
  assert.ok(routing("-X", "a", "-t", "tun", "-d", "pbA"));
  assert.equal(routing(), false);
  assert.equal(routing("-S", "2323"), false);
  assert.equal(routing("-X", "a", "-d", "tun0"), false);
  assert.equal(routing("-X", "a", "-t", "tunfoo"), false);
  assert.equal(routing("-X", "a", "-t", "tap"), false);
});

Deno.test("--any-source is for routing, and warned about without it", () => {
  const warned = (...argv: string[]) =>
    run("--any-source", ...argv).warnings.join();
  assert.equal(clusterOf("-M", "a").anySource, false);
  assert.ok(clusterOf("-M", "a", "--any-source").anySource);
  assert.doesNotMatch(warned("-M", "a"), /--any-source/);
  for (const without of [[], ["-S", "2323"], ["-M", "a", "-t", "tap"]]) {
    assert.match(warned(...without), /--any-source has no effect without/);
  }
});

Deno.test("-M and -X are one list, and -R as well", () => {
  const cluster = clusterOf(
    ...["-M", "a,b:7", "-X", "[::1]:8", "-M", "c"],
    ...["-R", "10.0.0.0/8,fd00::/8", "-R", "10.1.0.0/16"],
  );
  assert.deepEqual(cluster.syncServers, [
    { host: "a", port: 2323 },
    { host: "b", port: 7 },
    { host: "c", port: 2323 },
    { host: "::1", port: 8 },
  ]);
  assert.deepEqual(cluster.routes.map(formatPrefix), [
    ...["10.0.0.0/8", "fd00::/8", "10.1.0.0/16"],
  ]);
});

Deno.test("a sync server is on this host alone unless -I says where", () => {
  assert.equal(clusterOf().syncServer, undefined);
  assert.deepEqual(clusterOf("-S", "7").syncServer, {
    host: "127.0.0.1",
    port: 7,
  });
  assert.deepEqual(clusterOf("-S", "7", "-I", "::").syncServer, {
    host: "::",
    port: 7,
  });
});

Deno.test("more links than there are other hosts are warned about", () => {
  const warnings = (...argv: string[]) =>
    run("-M", "192.0.2.3,192.0.2.4", "-X", "unix:/run/a", ...argv).warnings
      .filter((text) => text.includes("links"));
  assert.deepEqual(warnings("--health-sync-links", "3"), [
    "--health-sync-links 3 counts as 2: it follows no more other hosts",
  ]);
  assert.deepEqual(warnings("--health-sync-links", "2"), []);
});

Deno.test("a server that is named among the others is warned about", () => {
  const warnings = (...argv: string[]) =>
    run("-S", "2323", "-I", "192.0.2.2", ...argv).warnings
      .filter((text) => text.includes("itself"));
  assert.deepEqual(warnings("-M", "192.0.2.3,192.0.2.2:2323"), [
    "--sync-hosts (-M) names this server itself, 192.0.2.2:2323: leave it " +
    "out, and name the others alone",
  ]);
  assert.deepEqual(warnings("-M", "192.0.2.3,192.0.2.2:2324"), []);
});

Deno.test("a sync server that the members of -M cannot reach is warned about", () => {
  const warnings = (...argv: string[]) =>
    run("-S", "2323", ...argv).warnings
      .filter((text) => text.includes("--sync-interface"));
  assert.deepEqual(warnings("-M", "192.0.2.2,unicast2.anytun.org:2323"), [
    "--sync-port (-S) listens on 127.0.0.1 alone, but --sync-hosts (-M) " +
    "names 192.0.2.2:2323: for others to follow this server, add " +
    "--sync-interface (-I) with an address that they reach",
  ]);
  assert.equal(warnings("-M", "localhost", "-M", "some.name").length, 1);
  assert.equal(warnings("-M", "2001:db8::1").length, 1);
  const fine: readonly (readonly string[])[] = [
    [],
    ["-M", "192.0.2.2", "-I", "0.0.0.0"],
    ["-M", "127.0.0.1:2324,[::1]:2325,localhost:2326,unix:/run/a"],
    // Who serves connections follows nobody.
    ["-X", "192.0.2.2"],
    ["-M", "192.0.2.2", "-S", "unix:/run/a"],
  ];
  for (const argv of fine) assert.deepEqual(warnings(...argv), []);
});

Deno.test("-S, -M and -X take unix sockets beside ports", () => {
  const path = "/run/anytun/sync.sock";
  const cluster = clusterOf(
    ...["-S", `unix:${path}`, "-M", "a,unix:/run/b", "-X", "unix:/run/c"],
    // Of a host that is called so.
    ...["-X", "unix:7"],
  );
  assert.deepEqual(cluster.syncServer, { path });
  assert.deepEqual(cluster.syncServers, [
    { host: "a", port: 2323 },
    { path: "/run/b" },
    { path: "/run/c" },
    { host: "unix", port: 7 },
  ]);
  assert.ok(cluster.routing);
});

Deno.test("a unix socket has an absolute path, which is not too long", () => {
  const long = `/${"x".repeat(107)}`;
  for (const option of ["-S", "-M", "-X"]) {
    for (const path of ["", "a", "@a", "./a", "/run/", "//x/"]) {
      assert.match(
        fail("-E", "x", option, `unix:${path}`).text,
        /needs the absolute path of a socket behind unix:/,
      );
    }
    assert.match(
      fail("-E", "x", option, `unix:${long}`).text,
      /needs a path of at most 107 bytes behind unix:/,
    );
    run(option, `unix:${long.slice(0, -1)}`);
  }
});

Deno.test("who may take part is warned of where that is everybody, or nothing", () => {
  const any = "--sync-any-user";
  const unix = ["-X", "unix:/run/a"];
  const cases: readonly (readonly [readonly string[], RegExp | undefined])[] = [
    [["-S", "7"], undefined],
    [[any, "-S", "7"], /lets every user of this host read all keys/],
    [[any, "-M", "a", ...unix], /lets every user of this host read all keys/],
    [[any], /--sync-any-user has no effect without TCP/],
    [[any, ...unix], /--sync-any-user has no effect without TCP/],
    [["-I", "::", "-S", "unix:/run/a"], /-I\) has no effect with .* unix:/],
  ];
  for (const [argv, warning] of cases) {
    const texts = run(...argv).warnings.filter((text) => /sync/.test(text));
    assert.equal(texts.length, warning === undefined ? 0 : 1, argv.join(" "));
    if (warning !== undefined) assert.match(texts[0] ?? "", warning);
  }
  assert.equal(clusterOf(any, "-S", "7").syncAnyUser, true);
});

Deno.test("a server to follow has a host, and a number for a port", () => {
  for (const value of ["a:http", "a:0", "a:65536", ":7", ""]) {
    assert.equal(
      fail("-E", "x", "-M", `b,${value}`).text,
      `syntax error: ${value}\n${" ".repeat(14)}^\n` +
        "-M needs a host, and a port from 1 to 65535\n",
    );
  }
});

Deno.test("who is told of connections needs no secret of its own", () => {
  assert.equal(runWithout("-X", "a").options.secrets, undefined);
  assert.match(fail("-S", "7").text, /^Cannot derive session keys/);
  assert.match(fail("-X", "a", "-K", "00".repeat(16)).text, /no master salt/);
  const { warnings } = runWithout("-X", "a", "-r", "192.0.2.1");
  assert.match(warnings.join(), /--remote-host \(-r\) has no effect/);
});

Deno.test("cluster options without what they need are warned about", () => {
  const warnings = (...argv: string[]) => run(...argv).warnings.join();
  assert.match(warnings("-I", "::1"), /-I\) has no effect/);
  assert.match(warnings("-R", "10.0.0.0/8"), /-R\) has no effect/);
  assert.doesNotMatch(warnings("-R", "10.0.0.0/8", "-S", "7"), /-R\)/);
});

Deno.test("-U logs everything to standard output, besides other targets", () => {
  const { options } = run("-U", "-L", "file:1,a.log");
  assert.deepEqual(options.logTargets, [
    { kind: "file", level: 1, path: "a.log" },
    { kind: "stdout", level: 5 },
  ]);
});

Deno.test("a stream takes the log only once", () => {
  const twice = (...argv: string[]) => fail("-E", "x", ...argv).text;
  assert.equal(
    twice("-U", "-L", "stdout:3"),
    "stdout logtarget is supported only once (--log, --debug)\n",
  );
  assert.equal(
    twice("-L", "stderr:3", "-L", "stderr:4"),
    "stderr logtarget is supported only once (--log)\n",
  );
  run("-L", "stderr:3", "-L", "stdout:3", "-L", "file:1", "-L", "file:2");
});

Deno.test("the type of the device is -t, else what the name begins with", () => {
  const device = (...argv: string[]) => run(...argv).options.device;
  assert.deepEqual(device("-d", "tun7"), { name: "tun7", type: "tun" });
  assert.deepEqual(device("-d", "tap%d"), { name: "tap%d", type: "tap" });
  assert.deepEqual(device("-d", "tun7", "-t", "tapfoo"), {
    name: "tun7",
    type: "tap",
  });
  assert.deepEqual(fail("-E", "x", "-d", "vpn"), {
    text: "Cannot tell the type of device 'vpn' (--dev): " +
      "add --type tun or --type tap\n",
    usage: false,
  });
});

Deno.test("a long device name is cut, with a warning", () => {
  const { options, warnings } = run("-d", "tun-of-16-letter");
  assert.equal(options.device.name, "tun-of-16-lette");
  assert.match(
    warnings.join("\n"),
    /'tun-of-16-letter' \(--dev\).*more than 15/,
  );
  const exact = run("-d", "tun-of-15-lette");
  assert.equal(exact.options.device.name, "tun-of-15-lette");
  assert.doesNotMatch(exact.warnings.join("\n"), /--dev/);
});

Deno.test("--mtu counts with -n, and is 1400 unless it is given", () => {
  assert.equal(run("-n", "10.0.0.1/8").options.mtu, 1400);
  assert.equal(run("-n", "10.0.0.1/8", "--mtu", "68").options.mtu, 68);
  const lonely = run("--mtu", "1300");
  assert.equal(lonely.options.mtu, undefined);
  assert.match(lonely.warnings.join("\n"), /--mtu has no effect without/);
});

Deno.test("--mtu leaves IPv6 the 1280 bytes that it needs", () => {
  assert.equal(run("-n", "fd00::1/64", "--mtu", "1280").options.mtu, 1280);
  assert.match(
    fail("-E", "x", "-n", "fd00::1/64", "--mtu", "1279").text,
    /^Cannot use --mtu 1279: the IPv6 address .* at least 1280/,
  );
});

Deno.test("an MTU that the datagrams cannot carry is warned about", () => {
  const warned = (mtu: string, ...argv: string[]) =>
    run("-n", "10.0.0.1/8", "--mtu", mtu, ...argv).warnings
      .some((text) => text.includes("--mtu"));
  assert.ok(!warned("1580"));
  assert.ok(warned("1581"));
  assert.ok(!warned("1590", "-a", "null"));
  assert.ok(!warned("1566", "-t", "tap"));
  assert.ok(warned("1567", "-t", "tap"));
});

Deno.test("the tag is at most 20 bytes, and a longer one warned about", () => {
  const { options, warnings } = run("-b", "64");
  assert.equal(options.tagLength, 20);
  assert.ok(warnings.includes(
    "sha1 auth algo can't generate tags of length 64, " +
      "using maximum tag length(20)",
  ));
  assert.equal(run("-b", "20").options.tagLength, 20);
  assert.equal(run("-b", "4294967295").options.tagLength, 20);
});

Deno.test("what is in force follows from what is given", () => {
  const nothing = run("-c", "null", "-a", "null", "-b", "12").options;
  assert.equal(nothing.kdPrf, "null");
  assert.equal(nothing.tagLength, 0);
  assert.equal(run("-c", "null").options.kdPrf, "aes-ctr-128");
  assert.equal(run("-c", "aes-ctr").options.cipher, "aes-ctr-128");
});

Deno.test("anytun warns about everything that protects nobody", () => {
  const warnings = (...argv: string[]) => {
    const result = read("-D", "-w", "64", ...argv);
    assert.equal(result.kind, "run", JSON.stringify(result));
    return result.warnings.join("\n");
  };
  const keys = ["--key-file", "key", "--salt-file", "salt"];
  assert.equal(warnings(...keys), "");
  assert.match(warnings(...keys, "-w", "0"), /^window size is 0[^\n]*$/);
  assert.match(warnings(...keys, "-c", "null"), /^cipher is null[^\n]*$/);
  assert.match(warnings(...keys, "-a", "null"), /^auth algo is null[^\n]*$/);
  assert.match(warnings(...keys, "-b", "0"), /^tag length is 0[^\n]*$/);
  for (const short of ["1", "7"]) {
    assert.match(
      warnings(...keys, "-b", short),
      new RegExp(`^tag length is ${short} [^\\n]*use 8 bytes or more$`),
    );
  }
  assert.equal(warnings(...keys, "-b", "8"), "");
  assert.match(warnings("-k", "null"), /^using NULL key derivation[^\n]*$/);
  assert.match(
    warnings("-c", "null", "-a", "null"),
    /^cipher is null[^\n]*\nauth algo is null[^\n]*$/,
  );
});

Deno.test("a secret among the arguments is warned about, each with its way out", () => {
  const given = ["-E", "x", "-K", KEY_128, "-A", SALT];
  const names = ["passphrase", "key", "salt"];
  const warnings = names.map((name) =>
    `${name} is on the command line (--${name}): others can read it while ` +
    `the program starts; use --${name}-file`
  );
  for (const argv of [given, [...given, "-k", "null", "-c", "null"]]) {
    const said = run("-w", "64", ...argv).warnings
      .filter((warning) => warning.includes("command line"));
    assert.deepEqual(said, warnings);
  }
  for (const [index, name] of names.entries()) {
    const others = [`--${name}`, given[2 * index + 1] ?? ""];
    const rest = name === "passphrase" ? [] : ["--passphrase-file", "phrase"];
    assert.deepEqual(
      runWithout("-w", "64", ...others, ...rest).warnings,
      warnings.slice(index, index + 1),
    );
  }
});

Deno.test("a window of 0 is warned about where there is a connection of its own", () => {
  const warnings = (...argv: string[]) => runWithout(...argv).warnings.join();
  assert.doesNotMatch(warnings("-X", "a"), /window/);
  assert.doesNotMatch(warnings("-M", "a", "-S", "7"), /window/);
  for (const own of [["-E", "x"], ["-k", "null"]]) {
    assert.match(warnings("-X", "a", ...own), /window size is 0/);
    assert.match(warnings(...own), /window size is 0/);
  }
});

Deno.test("anytun does not start without master key and salt", () => {
  const message = (...argv: string[]) => {
    const { text, usage } = fail(...argv);
    assert.equal(usage, false);
    return text;
  };
  assert.match(
    message(),
    /no master key is given, add --key-file or --passphrase-file/,
  );
  assert.match(message("-A", SALT), /no master key is given/);
  assert.match(message("-K", KEY_128), /no master salt is given/);
  assert.match(
    message("-K", KEY_128, "-A", SALT, "-k", "aes-ctr-256"),
    /master key \(--key\): it has 16 bytes, .* aes-ctr-256 .* needs 32/,
  );
  assert.match(
    message("-K", KEY_128.slice(2), "-E", "x"),
    /it has 15 bytes, .* aes-ctr-128 .* needs 16/,
  );
});

Deno.test("key and salt go with the passphrase, each for itself", () => {
  const secrets = (...argv: string[]) => {
    const result = read("-D", ...argv);
    assert.equal(result.kind, "run", JSON.stringify(result));
    return Object.entries(result.options.secrets ?? {})
      .flatMap(([name, value]) => value === undefined ? [] : [name]);
  };
  assert.deepEqual(secrets("-K", KEY_128, "-A", SALT), ["key", "salt"]);
  assert.deepEqual(secrets("-K", KEY_128, "-E", "x"), ["passphrase", "key"]);
  assert.deepEqual(secrets("-A", SALT, "-E", "x"), ["passphrase", "salt"]);
  assert.deepEqual(secrets("-k", "null"), []);
  const long = KEY_128 + KEY_128;
  assert.deepEqual(secrets("-k", "aes-ctr-256", "-K", long, "-A", SALT), [
    "key",
    "salt",
  ]);
});

Deno.test("-v prints two lines about the version", () => {
  const result = read("-v");
  assert.equal(result.kind, "print");
  assert.match(
    result.text,
    /^anytun version \d+\.\d+\.\d+ \(anytun for Deno\)\nrunning on Deno 2\.9\.6 with V8 15\.0\n$/,
  );
});
