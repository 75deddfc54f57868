import assert from "node:assert/strict";
import { lineIn, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { DatagramFlow } from "../../lab/datagram_flow.ts";
import type { Lab } from "../../lab/lab.ts";
import { serve } from "../../lab/measure.ts";
import { missingCommand } from "../../lab/missing.ts";
import type { LabProcess } from "../../lab/process.ts";
import {
  asBinary,
  fromSource,
  type OurProgram,
  withoutWorkers,
} from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";

const [LEFT, RIGHT] = ["10.99.0.1", "10.99.0.2"];
const SALT = "00".repeat(14);
const FLOW_MS = 5;

/** What makes datagrams of the peer worthless. */
const REFUSED = /[1-9]\d* (not sent|with a wrong tag|replayed|of a wrong type)/;
const SEALS = /connection 0 seals with its new keys/;

/** A daemon with a config file that the test writes. */
class Configured {
  readonly #file: string;
  #process: LabProcess | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  get process(): LabProcess {
    assert.ok(this.#process !== undefined);
    return this.#process;
  }

  write(lines: readonly string[]): void {
    Deno.writeTextFileSync(this.#file, `${lines.join("\n")}\n`);
  }

  async start(host: Lab["left"], program: OurProgram): Promise<void> {
    const args = ["-D", "-L", "stdout:4", "--config", this.#file];
    this.#process = startDaemon(host, args, { program });
    await this.#process.line(/tunnel is set up/);
  }

  /** @returns The line that says what came of a HUP with these lines */
  async reload(lines: readonly string[], answer: RegExp): Promise<string> {
    this.write(lines);
    return await this.hangUp(answer);
  }

  async hangUp(answer: RegExp): Promise<string> {
    const seen = this.process.lines.length;
    Deno.kill(this.process.pid, "SIGHUP");
    return await this.process.line(answer, undefined, seen);
  }
}

function keyFile(folder: TestFolder, byte: string): void {
  Deno.writeTextFileSync(folder.file("key"), byte.repeat(16));
  Deno.writeTextFileSync(folder.file("salt"), SALT);
  for (const name of ["key", "salt"]) Deno.chmodSync(folder.file(name), 0o600);
}

async function nothingLost(flow: DatagramFlow, after: string): Promise<void> {
  const { sent, lost } = await flow.report();
  assert.ok(sent > 0, after);
  assert.equal(lost, 0, `${lost} of ${sent} lost after ${after}`);
}

/** Another port that leads to the daemon. */
const NFT = [
  "table ip at {",
  "chain in {",
  "type nat hook prerouting priority dstnat;",
  "udp dport 5555 redirect to :4444",
  "}",
  "}",
];

const programs = [
  { program: fromSource, plane: "native" },
  { program: withoutWorkers, plane: "portable" },
  { program: asBinary, plane: "native" },
] as const;

for (const [index, { program, plane }] of programs.entries()) {
  labTest(
    `a HUP changes routes, window, peer and keys without a lost packet: ${program.name}`,
    `e-rl${index}`,
    [program.missing, missingCommand("nft")],
    async ({ left, right }) => {
      using folder = new TestFolder();
      keyFile(folder, "a1");
      const [mine, other] = ["left.yaml", "right.yaml"].map((name) =>
        new Configured(folder.file(name))
      ) as [Configured, Configured];
      const secrets = [
        `key-file: ${folder.file("key")}`,
        `salt-file: ${folder.file("salt")}`,
      ];
      // A control host that is not there: there are routes none the less.
      const server = (window: number, routes: string) => [
        ...[...secrets, "dev: tun7", `ifconfig: ${LEFT}/24`],
        ...["control-host: 127.0.0.1:9", `route: [${routes}]`],
        `window-size: ${window}`,
      ];
      const client = (window: number, remote: string) => [
        ...[...secrets, "dev: tun8", `ifconfig: ${RIGHT}/24`, "role: right"],
        ...[remote, `window-size: ${window}`],
      ];
      await left.ip("addr", "add", "192.0.2.101/24", "dev", "wire");
      const rules = folder.file("rules");
      Deno.writeTextFileSync(rules, NFT.join("\n"));
      await left.exec("nft", "-f", rules);
      const first = `remote-host: ${left.ipv4}`;
      mine.write(server(64, `${RIGHT}/32`));
      other.write(client(64, first));
      await mine.start(left, program);
      await other.start(right, program);
      const planes = mine.process.lines.join("\n");
      assert.match(planes, new RegExp(plane));
      await right.ping(LEFT);
      await serve(left);
      const flow = await DatagramFlow.start(right, left, LEFT, FLOW_MS);
      await nothingLost(flow, "the start");

      await right.ip("addr", "add", "10.98.0.1/32", "dev", "tun8");
      await left.ip("route", "add", "10.98.0.0/16", "dev", "tun7");
      await mine.reload(
        server(64, `${RIGHT}/32, 10.98.0.0/16`),
        /NOTICE: routes to connection 0: \+10\.98\.0\.0\/16$/,
      );
      await left.ping("10.98.0.1");
      await nothingLost(flow, "another route");

      const window = /NOTICE: options that have changed: --window-size/;
      for (const size of [1024, 64]) {
        await mine.reload(server(size, `${RIGHT}/32`), window);
        await other.reload(client(size, first), window);
        await nothingLost(flow, `a window of ${size}`);
      }

      const moved = /NOTICE: remote host \S+ is now (\S+)$/;
      for (
        const remote of [
          "remote-host: 192.0.2.101",
          `remote-host: ${left.ipv4}\nremote-port: 5555`,
          first,
        ]
      ) {
        await other.reload(client(64, remote), moved);
        await nothingLost(flow, remote);
      }

      keyFile(folder, "b2");
      await mine.hangUp(/connection 0 has new keys/);
      await nothingLost(flow, "a new key at one end");
      await other.hangUp(/connection 0 has new keys/);
      await mine.process.line(SEALS, 30);
      await other.process.line(SEALS, 30);
      await nothingLost(flow, "a new key at both ends");

      const wrong = [...server(64, `${RIGHT}/32`), "windowsize: 3"];
      const line = await mine.reload(wrong, /ERROR: .*nothing is changed: /);
      assert.match(line, /left\.yaml:\d+.*windowsize.*window-size/);
      await mine.reload(
        [...server(64, `${RIGHT}/32`), "port: 4445"],
        /WARNING: --port in \S+ has changed: takes effect at the next start$/,
      );
      await nothingLost(flow, "a fault, and a change that waits");
      for (const { process } of [mine, other]) {
        const seen = process.lines.length;
        Deno.kill(process.pid, "SIGUSR2");
        const line = await process.line(/connection 0: /, undefined, seen);
        assert.doesNotMatch(line, REFUSED);
      }
    },
  );
}

for (const program of [fromSource, asBinary]) {
  labTest(
    `a key file that cannot be read any more is named, with what to do: ${program.name}`,
    `e-ru${program.letter}`,
    [program.missing],
    async ({ left }) => {
      using folder = new TestFolder();
      keyFile(folder, "a1");
      const daemon = new Configured(folder.file("left.yaml"));
      const lines = (window: number) => [
        `key-file: ${folder.file("key")}`,
        `salt-file: ${folder.file("salt")}`,
        ...["dev: tun7", "username: nobody", `window-size: ${window}`],
      ];
      daemon.write(lines(64));
      await daemon.start(left, program);
      const line = await daemon.reload(
        lines(128),
        /ERROR: .*nothing is changed: /,
      );
      assert.match(line, /\/key' \(--key-file/);
      assert.match(line, /EACCES|Permission denied/);
      assert.match(line, /user 'nobody'.*chgrp and chmod 640, or a restart/);
      for (const name of ["key", "salt"]) {
        Deno.chmodSync(folder.file(name), 0o644);
      }
      await daemon.hangUp(/options that have changed: --window-size/);
    },
  );
}

labTest(
  "a key file that is outside of the jail by now is named, with what to do",
  "e-rj",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    keyFile(folder, "a1");
    const jail = folder.file("jail");
    // The config file is in the jail, under the name that it has outside.
    const inside = `${jail}${folder.file("conf")}`;
    Deno.mkdirSync(inside, { recursive: true });
    Deno.symlinkSync(inside, folder.file("conf"));
    const daemon = new Configured(`${folder.file("conf")}/left.yaml`);
    const lines = (window: number) => [
      `key-file: ${folder.file("key")}`,
      `salt-file: ${folder.file("salt")}`,
      ...["dev: tun7", `chroot: ${jail}`, `window-size: ${window}`],
    ];
    daemon.write(lines(64));
    await daemon.start(left, fromSource);
    const line = await daemon.reload(
      lines(128),
      /ERROR: .*nothing is changed: /,
    );
    assert.match(line, /\/key' \(--key-file.*No such file or directory/);
    assert.match(line, /outside of the jail '\S+' \(--chroot\).*a copy in it/);
    for (const name of ["key", "salt"]) {
      Deno.copyFileSync(folder.file(name), `${jail}${folder.file(name)}`);
    }
    await daemon.hangUp(/options that have changed: --window-size/);
  },
);

labTest(
  "both daemons take other log files and levels, in folders that they had at the start",
  "e-rg",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const clients = folder.file("clients");
    Deno.writeTextFileSync(clients, "");
    for (
      const [program, ...own] of [
        ["anytun", "dev: tun7", "passphrase: x"],
        ["controld", `file: ${clients}`, `control-host: "unix:${clients}.s"`],
      ]
    ) {
      const config = folder.file(`${program}.yaml`);
      const [one, two] = ["one", "two"].map((name) =>
        folder.file(`${program}.${name}`)
      );
      const write = (...log: readonly string[]) => {
        const lines = [...own, `log: ["${log.join('", "')}"]`];
        Deno.writeTextFileSync(config, lines.join("\n"));
        Deno.chmodSync(config, 0o600);
      };
      write(`file:3,${one}`);
      const word = program === "anytun" ? [] : [program ?? ""];
      const daemon = startDaemon(left, [...word, "-D", "--config", config]);
      await lineIn(one ?? "", /tunnel is set up|sync server listening/);
      write(`file:1,${one}`, `file:4,${two}`);
      Deno.kill(daemon.pid, "SIGHUP");
      await lineIn(one ?? "", /NOTICE: options that have changed: --log/);
      Deno.kill(daemon.pid, "SIGUSR2");
      await lineIn(two ?? "", /NOTICE: SIG-Usr2 caught/);
      assert.doesNotMatch(Deno.readTextFileSync(one ?? ""), /Usr2/);
      write("file:4,/none/log");
      Deno.kill(daemon.pid, "SIGHUP");
      await lineIn(two ?? "", /ERROR: .*nothing is changed: .*'\/none\/log'/);
      await daemon.stop();
    }
  },
);
