import assert from "node:assert/strict";
import {
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";

const PASSPHRASE = "correct horse battery staple";

labTest(
  "secrets come from standard input, files and credentials, and go nowhere",
  "d-sec",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    Deno.writeTextFileSync(folder.file("passphrase"), `${PASSPHRASE}\n`, {
      mode: 0o600,
    });
    const logs = ["-L", `file:5,${folder.file("log")}`];
    const common = ["-d", "tun7", ...logs];
    const rightOptions = [
      ...["-D", "-L", "stdout:5", ...common, "-n", "10.99.0.2/24"],
      ...["-e", "right", "-r", left.ipv4],
    ];
    const withInput = startDaemon(left, [
      ...[...common, "-n", "10.99.0.1/24", "-P", folder.file("pid")],
      ...["--passphrase-file", "-"],
    ]);
    await withInput.tell(PASSPHRASE);
    await withInput.closeInput();
    assert.equal((await withInput.ended).code, 0);

    const credentials = startDaemon(right, rightOptions, {
      env: { CREDENTIALS_DIRECTORY: folder.path },
    });
    await credentials.line(/tunnel is set up/);
    await right.ping("10.99.0.1");
    await credentials.stop();

    const withFile = startDaemon(right, [
      ...rightOptions,
      ...["--passphrase-file", folder.file("passphrase")],
    ]);
    await withFile.line(/tunnel is set up/);
    await right.ping("10.99.0.1");
    await withFile.stop();

    const daemon = ProcView.fromPidFile(folder.file("pid"));
    const log = Deno.readTextFileSync(folder.file("log"));
    for (const text of [daemon.text("cmdline"), daemon.text("environ"), log]) {
      assert.ok(!text.includes(PASSPHRASE));
    }
    daemon.kill("SIGTERM");
  },
);

labTest(
  "secrets among the arguments are overwritten in the foreground too",
  "d-ovw",
  [],
  async ({ left }) => {
    const key = "000102030405060708090a0b0c0d0e0f";
    const salt = "0102030405060708090a0b0c0d0e";
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", PASSPHRASE, "-K", key, "--salt", salt],
    ]);
    await daemon.line(/opening socket/);
    const line = new ProcView(daemon.pid).text("cmdline");
    for (const secret of [PASSPHRASE, key, salt]) {
      assert.ok(!line.includes(secret), line);
      assert.ok(line.includes(` ${"#".repeat(secret.length)}`), line);
    }
  },
);

labTest(
  "what `anytun genkey` prints makes a tunnel",
  "d-gen",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const made = await runDaemon(left, ["genkey", "-k", "aes-ctr-256"]);
    assert.equal(made.code, 0);
    const [, key = "", salt = ""] =
      /^key ([\da-f]{64})\nsalt ([\da-f]{28})$/.exec(made.text) ?? [];
    Deno.writeTextFileSync(folder.file("key"), `${key}\n`);
    Deno.writeTextFileSync(folder.file("salt"), `${salt}\n`);
    const files = [
      ...["--key-file", folder.file("key"), "--salt-file", folder.file("salt")],
      ...["-k", "aes-ctr-256", "-d", "tun7", "-D"],
    ];
    const other = startDaemon(left, [...files, "-n", "10.99.0.1/24"]);
    await other.line(/WARNING: others have access to the key from '.*key'/);
    await other.line(/opening socket/);
    const end = startDaemon(right, [
      ...[...files, "-n", "10.99.0.2/24", "-e", "right", "-r", left.ipv4],
    ]);
    await end.line(/tunnel is set up/);
    await right.ping("10.99.0.1");
  },
);
