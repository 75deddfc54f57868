import assert from "node:assert/strict";
import {
  certificateFile,
  tlsOptions,
  tlsTest,
} from "../../lab/certificates.ts";
import { TestFolder } from "../../lab/daemons.ts";
import { fromSource } from "../../lab/programs.ts";
import {
  outputOf,
  runTool,
  startControld,
  startTool,
} from "../../lab/tools.ts";

const CLIENT = ["-E", "secret", "-m", "5"];
const LINES = "Client 5: 192.0.2.7:4444\nRoute: 10.0.0.0/8 -> 5\n";

function configOf(...args: string[]): Promise<string> {
  return outputOf("config", [...CLIENT, "-r", "192.0.2.7", ...args]);
}

/** At once: who looks by itself, too, could find the file empty. */
async function replace(file: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${file}.next`, text);
  await Deno.rename(`${file}.next`, file);
}

Deno.test("showtables shows what config writes, and no key", async () => {
  const records = await configOf("-R", "10.0.0.0/8");
  assert.equal(await outputOf("showtables", [], records), LINES);
  const json = await outputOf("showtables", ["--json"], records);
  assert.deepEqual(json.trim().split("\n").map((line) => JSON.parse(line)), [
    {
      type: "client",
      mux: 5,
      endpoint: "192.0.2.7:4444",
      role: "left",
      kd_prf: "aes-ctr-128",
      window_size: 0,
      next_seq: 0,
    },
    { type: "route", prefix: "10.0.0.0/8", mux: 5 },
  ]);
});

Deno.test("showtables goes on behind a bad record, and fails at the end", async () => {
  const records = await configOf("-R", "10.0.0.0/8");
  const { code, stdout, stderr } = await runTool(
    "showtables",
    [],
    `00005 12345${records}`,
  );
  assert.equal(stdout, LINES);
  assert.match(stderr, /^anytun-showtables: Cannot read a record/);
  assert.equal(code, 255);
});

Deno.test("config prints no record unless all of it is right", async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["-m", "5"], /^Cannot derive session keys/],
    [[...CLIENT, "-r", "nosuch.invalid"], /Cannot resolve 'nosuch.invalid'/],
    [[...CLIENT, "-R", "10.0.0.0/33"], /^syntax error/],
    [[...CLIENT, "-k", "foo"], /^syntax error/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await runTool("config", args);
    assert.equal(code, 255);
    assert.match(stderr, message);
    assert.equal(stdout, "", "Debian's launcher appends it to a file");
  }
});

Deno.test("config says nothing on standard output but records, whatever -L is", async () => {
  const records = await configOf();
  assert.equal(await configOf("-L", "stdout:5"), records);
});

Deno.test("config warns of a route that makes the original hang", async () => {
  const args = [...CLIENT, "-R", "10.128.0.0/9"];
  const { stderr } = await runTool("config", args);
  assert.match(stderr, /WARNING: route 10\.128\.0\.0\/9 .* hang/);
});

Deno.test("controld serves its file, and tells at SIGHUP what has changed", async () => {
  using folder = new TestFolder();
  const file = folder.file("clients");
  const first = await configOf("-R", "10.0.0.0/8");
  await Deno.writeTextFile(file, first);
  const { controld, port } = await startControld(file);
  const server = `127.0.0.1:${port}`;
  const shown = startTool("showtables", ["--connect", server, "--watch"]);
  try {
    await shown.line(/^Route: 10\.0\.0\.0\/8 -> 5$/);
    assert.equal(await outputOf("showtables", ["--connect", server]), LINES);

    await replace(file, `${first}\nhello\n`);
    Deno.kill(controld.pid, "SIGHUP");
    await controld.line(/ERROR: Cannot serve .*: line 4: .* stays in use/);
    assert.equal(await outputOf("showtables", ["--connect", server]), LINES);

    await replace(file, await configOf("-R", "10.9.0.0/16"));
    Deno.kill(controld.pid, "SIGHUP");
    await shown.line(/^Route: 10\.9\.0\.0\/16 -> 5$/);
    assert.deepEqual(shown.lines, [
      ...LINES.trim().split("\n"),
      "Route: 10.9.0.0/16 -> 5",
    ], "only what has changed");
  } finally {
    await shown.stop();
    assert.equal((await controld.stop()).code, 0);
  }
});

Deno.test("controld notices by itself that its file has changed", async () => {
  using folder = new TestFolder();
  const file = folder.file("clients");
  await Deno.writeTextFile(file, "");
  const { controld, port } = await startControld(file);
  try {
    await Deno.writeTextFile(file, await configOf("-R", "10.0.0.0/8"));
    await controld.line(/read .* again: 2 records are new, 0 are gone/, 20);
    const server = `127.0.0.1:${port}`;
    assert.equal(await outputOf("showtables", ["--connect", server]), LINES);
  } finally {
    await controld.stop();
  }
});

Deno.test("controld warns of a file that others have access to, each time it comes to that", async () => {
  using folder = new TestFolder();
  const file = folder.file("clients");
  await Deno.writeTextFile(file, await configOf());
  await Deno.chmod(file, 0o644);
  const { controld } = await startControld(file);
  const warning = /WARNING: others have access to '.*clients' \(--file\)/;
  const warned = () =>
    controld.lines.filter((line) => warning.test(line)).length;
  try {
    await controld.line(warning);
    for (const [mode, times] of [[0o644, 1], [0o640, 1], [0o604, 2]] as const) {
      const { length } = controld.lines;
      await Deno.chmod(file, mode);
      Deno.kill(controld.pid, "SIGHUP");
      await controld.line(/read .* again/, 10, length);
      assert.equal(warned(), times, mode.toString(8));
    }
  } finally {
    await controld.stop();
  }
});

Deno.test("controld does not start with what clients could not read", async () => {
  using folder = new TestFolder();
  const bad = folder.file("bad");
  await Deno.writeTextFile(bad, "\nhello\n");
  const wrong: readonly (readonly [string, RegExp])[] = [
    [bad, /Cannot serve '.*' \(--file\): line 2: /],
    [folder.file("none"), /Cannot serve '.*' \(--file\): .*ENOENT/],
    [folder.path, /Cannot serve '.*' \(--file\): .*EISDIR/],
  ];
  for (const [file, message] of wrong) {
    const { code, stderr } = await runTool("controld", ["-D", "-f", file]);
    assert.equal(code, 255);
    assert.match(stderr, message);
  }
});

Deno.test("controld ends if it cannot listen", async () => {
  using folder = new TestFolder();
  const file = folder.file("clients");
  await Deno.writeTextFile(file, "");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const at = `127.0.0.1:${taken.addr.port}`;
  const { code, stderr } = await runTool(
    "controld",
    ["-D", "-f", file, "-X", at],
  );
  assert.equal(code, 255);
  assert.match(
    stderr,
    /Cannot listen for sync clients on 127\.0\.0\.1:.* \(--control-host\)/,
  );
});

Deno.test("controld goes to the background, under its own name", async () => {
  using folder = new TestFolder();
  const file = folder.file("clients");
  await Deno.writeTextFile(file, "");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const pidFile = folder.file("pid");
  await outputOf("controld", [
    ...["-f", file, "-X", `127.0.0.1:${port}`, "-P", pidFile],
    ...["-L", `file:3,${folder.file("log")}`],
  ]);
  const pid = Number(await Deno.readTextFile(pidFile));
  try {
    const name = await Deno.readTextFile(`/proc/${pid}/comm`);
    assert.equal(name, "anytun-controld\n");
    assert.equal(
      await outputOf("showtables", ["--connect", `127.0.0.1:${port}`]),
      "",
    );
  } finally {
    Deno.kill(pid, "SIGTERM");
  }
});

tlsTest(
  "showtables sees the tables of a server with TLS, or says why not",
  async () => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await configOf("-R", "10.0.0.0/8"));
    const { controld, port } = await startControld(file, tlsOptions("shared"));
    const asking = ["--connect", `127.0.0.1:${port}`];
    try {
      const member = [...asking, ...tlsOptions("shared")];
      assert.equal(await outputOf("showtables", member), LINES);
      // To stay, or an exit status would depend on how fast the server is.
      const plain = await runTool("showtables", [...asking, "--watch"]);
      assert.deepEqual(plain, {
        code: 255,
        stdout: "",
        stderr: `anytun-showtables: Cannot read from 127.0.0.1:${port} ` +
          "(--connect): it speaks TLS, or refuses this client; for TLS add " +
          "--sync-tls-cert and --sync-tls-key\n",
      });
      const intruder = [...asking, ...tlsOptions("intruder", "ca")];
      const { code, stdout, stderr } = await runTool("showtables", intruder);
      assert.deepEqual({ code, stdout }, { code: 255, stdout: "" });
      assert.match(
        stderr,
        /^anytun-showtables: Cannot connect to .*certificate/m,
      );
    } finally {
      await controld.stop();
    }
  },
);

tlsTest(
  "showtables asks no server without TLS if it is to use TLS",
  async () => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await configOf());
    const { controld, port } = await startControld(file);
    const at = `127.0.0.1:${port}`;
    const args = ["--connect", at, ...tlsOptions("shared")];
    try {
      const { code, stdout, stderr } = await runTool("showtables", args);
      assert.deepEqual({ code, stdout }, { code: 255, stdout: "" });
      assert.ok(stderr.endsWith(
        `anytun-showtables: Cannot connect to ${at} (--connect): ` +
          "it does not use TLS\n",
      ));
    } finally {
      await controld.stop();
    }
  },
);

tlsTest(
  "an authority that the system believes in counts for nothing",
  async () => {
    using folder = new TestFolder();
    const file = folder.file("clients");
    await Deno.writeTextFile(file, await configOf());
    // The certificate is for the very address that is asked.
    const other = tlsOptions("intruder", "ca");
    const { controld, port } = await startControld(file, other);
    const trusting = (tool: string) => [
      ...["env", `DENO_CERT=${certificateFile("other_ca.pem")}`],
      ...[...fromSource.command, tool],
    ];
    const ask = (authority: "ca" | "other_ca") =>
      runTool(
        "showtables",
        [
          ...["--connect", `127.0.0.1:${port}`],
          ...tlsOptions("alice", authority),
        ],
        "",
        trusting,
      );
    try {
      assert.match((await ask("ca")).stderr, /Cannot connect to .*certificate/);
      assert.equal((await ask("other_ca")).code, 0, "if somebody says so");
    } finally {
      await controld.stop();
    }
  },
);
