import assert from "node:assert/strict";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  fromSource,
  OUR_PROGRAMS,
  type OurProgram,
} from "../../lab/programs.ts";

/** A step of the start that is made to fail. */
interface Failure {
  readonly what: string;
  /** What makes it fail, on a host where a daemon has tun1 and port 4444. */
  readonly options: (folder: TestFolder) => readonly string[];
  /** The step and what is wrong with it, as the user reads it. */
  readonly message: RegExp;
  readonly env?: Readonly<Record<string, string>>;
  /** A /dev/log that leads nowhere. */
  readonly noSyslog?: boolean;
}

const FAILURES: readonly Failure[] = [
  {
    what: "a log file in a missing folder",
    options: (folder) => ["-L", `file:3,${folder.file("none/log")}`],
    message: /^anytun: Cannot log to the file '.*none\/log' \(--log file\)/m,
  },
  {
    what: "a missing syslog",
    options: () => ["-L", "syslog:3"],
    noSyslog: true,
    message: /^anytun: Cannot log to syslog \(--log syslog\): .* ENOENT/m,
  },
  {
    what: "a service manager that is not there",
    options: () => [],
    env: { NOTIFY_SOCKET: "/nowhere" },
    message: /^anytun: Cannot reach '\/nowhere'/m,
  },
  {
    what: "an unknown user",
    options: () => ["-u", "no-such-user"],
    message: /^anytun: unknown user no-such-user \(--username\)/m,
  },
  {
    what: "an unknown group",
    options: () => ["-u", "nobody", "-g", "no-such-group"],
    message: /^anytun: unknown group no-such-group \(--groupname\)/m,
  },
  {
    what: "a busy device",
    options: () => ["-d", "tun1"],
    message: /^anytun: Cannot open the tun device 'tun1': another program/m,
  },
  {
    what: "a port in use",
    options: () => ["-p", "4444"],
    message:
      /^anytun: Cannot listen on port 4444 \(--port\): Address already in use by another program$/m,
  },
  {
    what: "an address of another host",
    options: () => ["-i", "192.0.2.99"],
    message:
      /^anytun: Cannot listen on 192\.0\.2\.99, port 5555 \(--interface, --port\): no interface of this host has this address$/m,
  },
  {
    what: "an interface that does not exist",
    options: () => ["-i", "fe80::1%nowhere"],
    message: /^anytun: Cannot use the address .*no interface 'nowhere'/m,
  },
  {
    what: "a required script that is missing",
    options: (folder) => ["-x", folder.file("none"), "--post-up-required"],
    message:
      /^anytun: script '.*none' exec\(\) error: No such file or directory \(--post-up-required\)/m,
  },
  {
    what: "a required script that fails",
    options: (
      folder,
    ) => ["-x", folder.script("fail", "exit 3"), "--post-up-required"],
    message: /^anytun: script '.*fail' returned 3 \(--post-up-required\)/m,
  },
  {
    what: "a pid file in a missing folder",
    options: (folder) => ["-P", folder.file("none/pid")],
    message: /^anytun: can't open pid file \(--write-pid .*none\/pid\)/m,
  },
  {
    what: "a missing jail",
    options: (folder) => ["-C", folder.file("none")],
    message: /^anytun: Cannot enter the jail \(--chroot\): .*none'.* ENOENT/m,
  },
  {
    what: "a jail that is no folder",
    options: () => ["-C", "/etc/passwd"],
    message: /^anytun: Cannot enter the jail .*passwd'.* ENOTDIR/m,
  },
];

for (const program of OUR_PROGRAMS) {
  labTest(
    `anytun ${program.name} names the step of its start that fails`,
    `d-f${program.letter}`,
    [program.missing],
    async ({ left }) => {
      const other = startDaemon(left, ["-D", "-d", "tun1", "-E", "x"], {
        program,
      });
      await other.line(/opening socket: \[::\]:4444/);
      for (const failure of FAILURES) {
        for (const place of ["foreground", "background"] as const) {
          await fails(left, program, failure, place);
        }
      }
    },
  );
}

async function fails(
  host: LabHost,
  program: OurProgram,
  failure: Failure,
  place: "foreground" | "background",
): Promise<void> {
  using folder = new TestFolder();
  const { env, noSyslog, what } = failure;
  const end = await runDaemon(host, [
    ...(place === "foreground" ? ["-D"] : []),
    // What comes last counts, save for log targets.
    ...["-E", "x", "-d", "tun2", "-p", "5555"],
    ...(noSyslog ? [] : ["-L", `file:3,${folder.file("log")}`]),
    ...failure.options(folder),
  ], {
    program,
    ...(env ? { env } : {}),
    ...(noSyslog ? { syslog: folder.file("none") } : {}),
  });
  const where = `${what}, in the ${place}`;
  assert.equal(end.code, 255, `${where}: ${end.text}`);
  assert.match(end.text, failure.message, where);
  assert.equal(await host.hasDevice("tun2"), false, where);
}

/** The ways in which people read both standard streams of a program. */
const READERS = [
  { where: "on each of two streams", shell: '"$@"', times: 2 },
  { where: "where both streams go", shell: '"$@" 2>&1', times: 1 },
] as const;

for (const { where, shell, times } of READERS) {
  labTest(
    `a start that fails with its log on standard output says why once ${where}`,
    `d-on${times}`,
    [],
    async ({ left }) => {
      const daemons = [
        ["-E", "x", "-u", "no-such-user"],
        ["controld", "-f", "/dev/null", "-u", "no-such-user"],
      ];
      for (const daemon of daemons) {
        for (const log of [["-U"], ["-D", "-L", "stdout:1"]]) {
          const args = [...fromSource.command, ...daemon, ...log];
          const { ended, lines } = left.spawn("sh", "-c", shell, "sh", ...args);
          const { code } = await ended;
          const said = lines.filter((line) => /unknown user/.test(line));
          assert.equal(code, 255, lines.join("\n"));
          assert.equal(said.length, times, lines.join("\n"));
        }
      }
    },
  );
}

labTest(
  "a start that fails in the background prints nothing but the reason",
  "d-bgf",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const log = ["-L", `file:5,${folder.file("log")}`, "-u", "no-such-user"];
    const tunnel = await runDaemon(left, ["-E", "x", ...log]);
    assert.deepEqual(tunnel.text.split("\n"), [
      "anytun: unknown user no-such-user (--username)",
    ]);
    const records = ["controld", "-f", folder.file("clients"), ...log];
    Deno.writeTextFileSync(folder.file("clients"), "");
    const control = await runDaemon(left, records);
    assert.deepEqual(control.text.split("\n"), [
      "anytun-controld: unknown user no-such-user (--username)",
    ]);
  },
);
