import assert from "node:assert/strict";
import { openLibc } from "../../../ffi/libc.ts";
import { choosePlane } from "../../../src/tunnel/choose_plane.ts";
import type { TunnelSettings } from "../../../src/tunnel/settings.ts";
import { whyNoIpsecMb, whyNoLibcrypto } from "../../../lab/engines.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";
import { testUnless } from "../../../lab/test_unless.ts";

// Opened with all permissions: the tests below give some of them up. A function
// is opened when it is first looked at.
const libc = openLibc();
void Object.values(libc.symbols);

/** What was chosen, and the lines that were logged meanwhile. */
async function choose(
  choice: Partial<TunnelSettings>,
  processors = 2,
): Promise<{ readonly description: string; readonly lines: string[] }> {
  const log = recordingLog();
  using builder = await choosePlane(
    tunnelSettings({ engine: "auto", workers: 2, ...choice }),
    libc,
    { now: () => 0, processors },
    log,
  );
  return { description: builder.description, lines: log.lines };
}

function choiceTest(
  name: string,
  { ffi = true, read = true, missing = null }: {
    readonly ffi?: boolean;
    readonly read?: boolean;
    readonly missing?: string | null;
  },
  fn: () => Promise<void>,
): void {
  testUnless([missing], name, fn, { permissions: { ffi, read } });
}

choiceTest(
  "auto takes the native plane with libIPSec_MB, and says so without a warning",
  { missing: whyNoIpsecMb() },
  async () => {
    const { description, lines } = await choose({});
    assert.match(
      description,
      /^native data plane, engine ipsec-mb \(libIPSec_MB [\d.]+\), 2 workers$/,
    );
    assert.deepEqual(lines, []);
  },
);

choiceTest(
  "openssl asked for is the native plane with libcrypto, without a word",
  { missing: whyNoLibcrypto() },
  async () => {
    const { description, lines } = await choose({ engine: "openssl" });
    assert.match(
      description,
      /^native data plane, engine openssl \(OpenSSL .+\), 2 workers$/,
    );
    assert.deepEqual(lines, []);
  },
);

choiceTest(
  "a second worker is taken where there are more than two processors",
  {},
  async () => {
    const workersOf = async (processors: number) => {
      const choice = { engine: "builtin", workers: "auto" } as const;
      const { description } = await choose(choice, processors);
      return description.split(", ").at(-1);
    };
    assert.equal(await workersOf(1), "1 worker");
    assert.equal(await workersOf(2), "1 worker");
    assert.equal(await workersOf(3), "2 workers");
  },
);

choiceTest(
  "with several connections there are as many workers as processors, up to 8, unless there are but two",
  {},
  async () => {
    const workersOf = async (processors: number) => {
      const choice = { workers: "auto", routing: true } as const;
      const { description } = await choose(
        { engine: "builtin", ...choice },
        processors,
      );
      return description.split(", ").at(-1);
    };
    assert.equal(await workersOf(1), "1 worker");
    assert.equal(await workersOf(2), "1 worker");
    assert.equal(await workersOf(3), "3 workers");
    assert.equal(await workersOf(9), "8 workers");
  },
);

choiceTest(
  "several connections get all workers that are asked for, a single one no more than two, and the log says so",
  {},
  async () => {
    const engine = "builtin";
    const several = await choose({ engine, workers: 5, routing: true });
    assert.match(several.description, /, 5 workers$/);
    assert.deepEqual(several.lines, []);
    const single = await choose({ engine, workers: 5 });
    assert.match(single.description, /, 2 workers$/);
    assert.deepEqual(single.lines, [
      "NOTICE: 2 workers of 5 (--workers) are started: a single connection " +
      "has use for no more",
    ]);
  },
);

choiceTest(
  "one worker is taken where one is asked for",
  {},
  async () => {
    const { description } = await choose({ engine: "builtin", workers: 1 });
    assert.equal(
      description,
      "native data plane, engine builtin (as asked for), 1 worker",
    );
  },
);

choiceTest(
  "auto does without libcrypto, with one line that says how to get it",
  { ffi: false },
  async () => {
    const { description, lines } = await choose({});
    assert.equal(
      description,
      "native data plane, engine builtin (no libcrypto), 2 workers",
    );
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^WARNING: engines ipsec-mb and openssl, the fast ones, are not available: .*; install OpenSSL's libcrypto, version 3 or 1\.1$/,
    );
  },
);

for (const engine of ["ipsec-mb", "openssl"] as const) {
  choiceTest(
    `${engine} asked for by name is had or nothing is`,
    { ffi: false },
    async () => {
      await assert.rejects(choose({ engine }), { name: "NotCapable" });
    },
  );
}

const missing = {
  "ipsec-mb": whyNoIpsecMb(),
  openssl: whyNoLibcrypto(),
  builtin: null,
} as const;

for (const engine of ["ipsec-mb", "openssl", "builtin"] as const) {
  choiceTest(
    `without workers the portable plane takes over with engine ${engine} and one line that says how to get the fast one`,
    { read: false, missing: missing[engine] },
    async () => {
      const { description, lines } = await choose({ engine });
      assert.ok(
        description.startsWith(`portable data plane, engine ${engine} (`),
      );
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] ?? "",
        /^WARNING: the native data plane, many times faster, is not available \(.*\): from source it needs --allow-read, the binary has it$/s,
      );
    },
  );
}

choiceTest(
  "webcrypto asked for is the portable plane, without a word",
  { ffi: false, read: false },
  async () => {
    const { description, lines } = await choose({ engine: "webcrypto" });
    assert.equal(
      description,
      "portable data plane, engine webcrypto (as asked for)",
    );
    assert.deepEqual(lines, []);
  },
);
