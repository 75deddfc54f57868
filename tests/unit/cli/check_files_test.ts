import assert from "node:assert/strict";
import { O } from "../../../ffi/flags.ts";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { readConfigText } from "../../../src/config/config_file.ts";
import { hostFiles } from "../../../src/cli/host_files.ts";
import {
  checkConfigs,
  readCheckCommandLine,
} from "../../../src/config/check.ts";
import { readShowConfigCommandLine } from "../../../src/config/show_config.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };
const SALT = "00112233445566778899aabbccdd";

/** What the C library was asked for: names of functions, and files opened. */
class Calls {
  readonly names = new Set<string>();
  readonly opened = new Set<string>();

  /** Hands the functions of a library out, and notes which are called. */
  over<T extends object>(symbols: T): T {
    return new Proxy(symbols, {
      get: (target, key, receiver) => {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          this.#note(String(key), args);
          return value(...args);
        };
      },
    });
  }

  #note(name: string, args: readonly unknown[]): void {
    this.names.add(name);
    const path = args.find((arg) => arg instanceof Uint8Array);
    if (!name.startsWith("open") || path === undefined) return;
    const flags = args[args.indexOf(path) + 1];
    assert.equal(Number(flags) & (O.ACCMODE | O.CREAT), O.RDONLY, name);
    const end = path.indexOf(0);
    this.opened.add(new TextDecoder().decode(path.subarray(0, end)));
  }
}

/** What reads files, looks at them, and asks who somebody is. */
const HARMLESS = [
  ...["open", "openat", "read", "close", "statx", "getdents64", "getcwd"],
  ...["geteuid", "getegid", "getpwnam", "getgrnam", "__errno_location"],
];

function inFolder(work: (folder: string, libc: ProcessLibc) => void): void {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    work(folder, libc);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
}

Deno.test("checking and showing a config opens nothing but the files that hold it", () => {
  inFolder((folder, plain) => {
    const [config, salt] = [`${folder}/a.yaml`, `${folder}/salt`];
    const script = `${folder}/up`;
    Deno.writeTextFileSync(salt, SALT, { mode: 0o600 });
    Deno.writeTextFileSync(script, "#!/bin/sh\n", { mode: 0o700 });
    // A start would open or bind whatever is named here.
    const text = `
dev: tun77
ifconfig: 10.99.0.1/24
netns: ${folder}/a.yaml
port: 44444
remote-host: vpn.example.com
metrics: "127.0.0.1:44445"
status-socket: ${folder}/status.sock
sync-port: 44446
sync-hosts: 127.0.0.1:44447
write-pid: ${folder}/pid
log: "file:3,${folder}/log"
state-dir: ${folder}/state
post-up-script: ${script}
post-up-required: true
chroot: ${folder}
username: nobody
routes-install: true
key-file: "-"
salt-file: ${salt}
`;
    Deno.writeTextFileSync(config, text);
    const line = readCheckCommandLine([config], RUNTIME);
    assert.equal(line.kind, "run");
    for (const what of ["check", "show"]) {
      const calls = new Calls();
      const libc = {
        ...plain,
        symbols: calls.over(plain.symbols),
        process: calls.over(plain.process),
      };
      const files = hostFiles(
        libc,
        new Map(),
        "look",
        undefined,
        readConfigText,
      );
      if (what === "check") {
        const [checked] = checkConfigs(line.options, RUNTIME, files);
        assert.equal(checked?.fault, undefined);
      } else {
        const shown = readShowConfigCommandLine([config], RUNTIME, files);
        assert.equal(shown.kind, "run", JSON.stringify(shown));
      }
      assert.deepEqual([...calls.opened], [config, salt], what);
      const others = [...calls.names]
        .filter((name) => !HARMLESS.includes(name));
      assert.deepEqual(others, [], what);
    }
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(left.toSorted(), ["a.yaml", "salt", "up"]);
  });
});
