import { strict as assert } from "node:assert";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import { readShowtablesCommandLine } from "../../../src/config/showtables.ts";
import { certificateFile } from "../../../lab/certificates.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import {
  faultOf,
  readAnytun,
  runOf,
  RUNTIME,
} from "../../samples/command_lines.ts";

const text = (name: string) => Deno.readTextFileSync(certificateFile(name));

const FILES: Readonly<Record<string, FakeFile>> = {
  "alice.pem": { text: text("alice.pem") },
  "alice.key": { text: text("alice.key") },
  "bob.key": { text: text("bob.key") },
  "public.key": { text: text("alice.key"), isPublic: true },
  "ca.pem": { text: `# ours\n${text("ca.pem")}\n${text("other_ca.pem")}` },
  "half.pem": {
    text: text("alice.pem") +
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  },
  "text": { text: "hello" },
};

const PAIR = ["--sync-tls-cert", "alice.pem", "--sync-tls-key", "alice.key"];

function read(argv: readonly string[], runtime = RUNTIME) {
  const files = fakeHostFiles(FILES);
  const line = ["-D", "-E", "x", "-S", "1", ...argv];
  const result = readAnytunCommandLine(line, runtime, files);
  return { result, files };
}

function run(...argv: string[]) {
  return runOf(read(argv).result);
}

function fail(argv: readonly string[], runtime = RUNTIME): string {
  const fault = faultOf(read(argv, runtime).result);
  assert.doesNotMatch(fault, /^syntax error/);
  return fault;
}

Deno.test("there is no TLS unless somebody asks for it", () => {
  assert.equal(run().options.cluster.syncTls, undefined);
});

Deno.test("a certificate without --sync-tls-ca is its own authority", () => {
  const tls = run(...PAIR).options.cluster.syncTls;
  assert.equal(tls?.certificate, text("alice.pem"));
  assert.equal(tls?.authority, tls?.certificate);
});

Deno.test("of a file with authorities all count, and nothing else in it", () => {
  const tls = run(...PAIR, "--sync-tls-ca", "ca.pem").options.cluster.syncTls;
  assert.equal(tls?.authority, text("ca.pem") + text("other_ca.pem"));
  assert.equal(tls?.certificate, text("alice.pem"));
});

Deno.test("what was read of a key is overwritten", () => {
  const { files } = read(PAIR);
  const keys = files.handedOut.filter((bytes) =>
    bytes.every((byte) => byte === 0)
  );
  assert.equal(keys.length, 1);
});

Deno.test("certificate and key that cannot be used are named, and not shown", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [
      "--sync-tls-cert alice.pem",
      /^Cannot use --sync-tls-cert 'alice.pem': add --sync-tls-key$/m,
    ],
    [
      "--sync-tls-key alice.key",
      /^Cannot use --sync-tls-key 'alice.key': add --sync-tls-cert$/m,
    ],
    [
      "--sync-tls-ca ca.pem",
      /^Cannot use --sync-tls-ca 'ca.pem': add --sync-tls-cert$/m,
    ],
    [
      "--sync-tls-cert alice.pem --sync-tls-key bob.key",
      /^Cannot use --sync-tls-key 'bob.key': it is not the key of the certificate in 'alice.pem' \(--sync-tls-cert\)$/m,
    ],
    [
      "--sync-tls-cert alice.key --sync-tls-key alice.key",
      /^Cannot use --sync-tls-cert 'alice.key': it must hold certificates as PEM \(-----BEGIN CERTIFICATE-----\)$/m,
    ],
    [
      "--sync-tls-cert half.pem --sync-tls-key alice.key",
      /^Cannot use --sync-tls-cert 'half.pem': it must hold certificates/,
    ],
    [
      "--sync-tls-cert alice.pem --sync-tls-key alice.pem",
      /^Cannot use --sync-tls-key 'alice.pem': it must hold a private key as PEM \(-----BEGIN PRIVATE KEY-----\), not encrypted$/m,
    ],
    [
      "--sync-tls-cert alice.pem --sync-tls-key alice.key --sync-tls-ca text",
      /^Cannot use --sync-tls-ca 'text': it must hold certificates/,
    ],
    [
      "--sync-tls-cert none --sync-tls-key alice.key",
      /^Cannot use --sync-tls-cert 'none': Cannot open 'none': ENOENT$/m,
    ],
    [
      "--sync-tls-cert alice.pem --sync-tls-key none",
      /^Cannot use --sync-tls-key 'none': Cannot open 'none': ENOENT$/m,
    ],
  ];
  const secret = text("alice.key").split("\n")[1] ?? "";
  for (const [line, message] of wrong) {
    const report = fail(line.split(" "));
    assert.match(report, message);
    assert.ok(!report.includes(secret));
  }
});

Deno.test("a runtime that does not verify clients is refused", () => {
  for (const deno of ["2.7.11", "2.8.3", "1.46.3"]) {
    assert.equal(
      fail(PAIR, { deno, v8: "14" }),
      "Cannot use --sync-tls-cert 'alice.pem': it takes Deno 2.9 or newer " +
        `to make sure who the other side is, this is Deno ${deno}\n`,
    );
  }
  for (const deno of ["2.9.0", "2.10.1", "3.0.0"]) {
    assert.equal(read(PAIR, { deno, v8: "15" }).result.kind, "run");
  }
});

Deno.test("a key that others have access to is worth a warning", () => {
  const { warnings } = run(...PAIR, "--sync-tls-key", "public.key");
  assert.ok(
    warnings.includes(
      "others have access to the key from 'public.key' (--sync-tls-key): " +
        "use chmod 600",
    ),
    warnings.join("\n"),
  );
  assert.doesNotMatch(run(...PAIR).warnings.join(), /others have access/);
});

Deno.test("certificates for nothing are worth a warning", () => {
  const noEffect = /--sync-tls-cert has no effect without --sync-port/;
  const { warnings } = runOf(readAnytun(PAIR, FILES));
  assert.match(warnings.join(), noEffect);
  assert.doesNotMatch(run(...PAIR).warnings.join(), noEffect);
});

Deno.test("the tools take certificates as the daemon does", () => {
  const files = fakeHostFiles(FILES);
  const line = ["-f", "clients", ...PAIR, "--sync-tls-key", "public.key"];
  const controld = runOf(readControldCommandLine(line, RUNTIME, files));
  assert.equal(controld.options.syncTls?.certificate, text("alice.pem"));
  assert.match(controld.warnings.join(), /^others have access to the key/);
  const showtables = runOf(readShowtablesCommandLine(PAIR, RUNTIME, files));
  assert.equal(showtables.options.syncTls?.certificate, text("alice.pem"));
  assert.deepEqual(showtables.warnings, [
    "--sync-tls-cert has no effect without --connect (-X)",
  ]);
  const asking = [...PAIR, "--connect", "a"];
  const asked = runOf(readShowtablesCommandLine(asking, RUNTIME, files));
  assert.deepEqual(asked.warnings, []);
});
