import { strict as assert } from "node:assert";
import {
  checkConfigs,
  readCheckCommandLine,
} from "../../../src/config/check.ts";
import {
  type FakeFile,
  fakeHostFiles,
  STRANGER,
} from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

const KEYS = "passphrase: words\nwindow-size: 64\n";

function check(argv: readonly string[], files: Record<string, FakeFile>) {
  const line = readCheckCommandLine(argv, RUNTIME);
  assert.equal(line.kind, "run");
  return checkConfigs(line.options, RUNTIME, fakeHostFiles(files));
}

Deno.test("a file that is well has neither fault nor warning", () => {
  const files = { "/etc/anytun/a.yaml": { text: KEYS } };
  assert.deepEqual(check(["a"], files), [
    { title: "/etc/anytun/a.yaml", fault: undefined, warnings: [] },
  ]);
});

Deno.test("faults and warnings are those of a start", () => {
  const files = {
    "/home/a.yaml": { text: "port: x\n" },
    "/home/b.yaml": { text: `${KEYS}mtu: 1400\nlog: [stdout:3]\n` },
  };
  const [a, b, c] = check(["./a.yaml", "./b.yaml", "c"], files);
  assert.match(
    a?.fault ?? "",
    /^\/home\/a\.yaml:1:7: Cannot use port 'x'/,
  );
  assert.equal(b?.fault, undefined);
  assert.match(b?.warnings.join("\n") ?? "", /--mtu in .*b\.yaml:3 has no/);
  assert.match(b?.warnings.join("\n") ?? "", /stdout has no effect without/);
  assert.match(c?.fault ?? "", /^Cannot find the config 'c'/);
  const [inForeground] = check(["./b.yaml", "-D"], files);
  assert.doesNotMatch(inForeground?.warnings.join() ?? "", /stdout/);
});

Deno.test("a user and a group that are unknown are faults, as at a start", () => {
  const faultOf = (more: string) =>
    check(["./a.yaml"], { "/home/a.yaml": { text: KEYS + more } })[0]?.fault;
  assert.equal(faultOf("username: nobody\ngroupname: nogroup\n"), undefined);
  assert.equal(
    faultOf(`username: ${STRANGER}\n`),
    "unknown user stranger (--username)",
  );
  assert.equal(
    faultOf(`username: nobody\ngroupname: ${STRANGER}\n`),
    "unknown group stranger (--groupname)",
  );
  assert.equal(faultOf(`groupname: ${STRANGER}\n`), undefined, "no effect");
});

Deno.test("a jail, a namespace and a required script that are not there are faults, as at a start", () => {
  const outside = {
    "/jail": { text: "", kind: "folder" },
    "/file": { text: "" },
    "/up": { text: "", kind: "program" },
    "/hidden/up": { text: "", kind: "unseen" },
    "/run/netns/blue": { text: "" },
  } as const;
  const path = "/home/a.yaml";
  const faultOf = (more: string) =>
    check(["./a.yaml"], { ...outside, [path]: { text: KEYS + more } })[0]
      ?.fault;
  const required = "post-up-required: true\npost-up-script:";
  for (
    const well of [
      "chroot: /jail\n",
      "chroot: /hidden/up\n",
      "netns: blue\n",
      `${required} /up\n`,
      `${required} /hidden/up\n`,
      // A start goes on without it.
      "post-up-script: /none\ndown-script: /none\n",
    ]
  ) assert.equal(faultOf(well), undefined, well);
  for (const jail of ["/none", "/file"]) {
    assert.equal(
      faultOf(`chroot: ${jail}\n`),
      `Cannot enter the jail (--chroot): there is no folder '${jail}'`,
    );
  }
  assert.match(
    faultOf("netns: red\n") ?? "",
    /^Cannot use the network namespace \/run\/netns\/red \(--netns\): there is/,
  );
  assert.equal(
    faultOf(`${required} /none\n`),
    "script '/none' is not there (--post-up-required)",
  );
  assert.equal(
    faultOf(`${required} /file\n`),
    "script '/file' is no program (--post-up-required)",
  );
});

Deno.test("an announce script that nobody could run is a fault, as at a start", () => {
  const outside = {
    "/folder": { text: "", kind: "folder" },
    "/file": { text: "" },
    "/tell": { text: "", kind: "program" },
    tell: { text: "", kind: "program" },
    "/hidden/tell": { text: "", kind: "unseen" },
  } as const;
  const path = "/home/a.yaml";
  const faultOf = (script: string) =>
    check(["./a.yaml"], {
      ...outside,
      [path]: { text: `${KEYS}announce-script: ${script}\n` },
    })[0]?.fault;
  for (const well of ["/tell", "/hidden/tell"]) {
    assert.equal(faultOf(well), undefined, well);
  }
  for (
    const [script, why] of [
      ["/none", "there is no such file"],
      ["/file", "it cannot be executed"],
      ["/folder", "it is a folder"],
      ["tell", "it is a name, and no path"],
    ]
  ) {
    assert.equal(
      faultOf(script ?? ""),
      `Cannot use '${script}' (--announce-script): ${why}; name a file that ` +
        "can be executed, such as /etc/anytun/announce.sh",
    );
  }
});

Deno.test("the jail of a tunnel of Debian's is made by a start, where there is none", () => {
  const config = (chroot: string) => ({
    "/etc/anytun/b/config": {
      text: `passphrase x\nusername nobody\nchroot ${chroot}\n`,
    },
    "/file": { text: "" },
  });
  const faultOf = (chroot: string) => check(["b"], config(chroot))[0]?.fault;
  assert.equal(faultOf("/none"), undefined);
  assert.match(faultOf("/file") ?? "", /there is no folder '\/file'/);
});

Deno.test("what only a start reads is not looked at, and no fault", () => {
  const salt = { text: "00112233445566778899aabbccdd" };
  const path = "/home/a.yaml";
  const files = { s: salt, "": { text: "", isOnce: true } };
  const text = "key-file: '-'\nsalt-file: s\nwindow-size: 64\n";
  const [one] = check(["./a.yaml"], { ...files, [path]: { text } });
  assert.equal(one?.fault, undefined);
  assert.deepEqual(one?.warnings, [
    "the key from standard input (--key-file in /home/a.yaml:1) is not looked " +
    "at: only a start reads it",
  ]);
  const more = { text: `${text}kd-prf: aes-ctr-256\nrole: nobody\n` };
  const [two] = check(["./a.yaml"], { ...files, [path]: more });
  assert.match(two?.fault ?? "", /unknown role name/, "all else is looked at");
});

Deno.test("without names all tunnels are checked, and those of autostart", () => {
  const all = check([], {
    "/etc/anytun": { text: "" },
    "/etc/anytun/autostart": { text: "a b # c\nnowhere\n" },
    "/etc/anytun/a.yaml": { text: KEYS },
    "/etc/anytun/records.yaml": { text: "file: /records\n" },
    "/etc/anytun/fleet.yaml": { text: "source: https://192.0.2.1\n" },
    "/etc/anytun/b": { text: "" },
    "/etc/anytun/b/config": { text: "control-host h\n" },
    "/etc/anytun/b/conf.d": { text: "" },
    "/etc/anytun/b/conf.d/one": { text: "passphrase x\nmux z\n" },
  });
  assert.deepEqual(
    all.map(({ title, fault }) => [title, fault?.split(": ")[1]]),
    [
      ["/etc/anytun/a.yaml", undefined],
      ["/etc/anytun/b/config", undefined],
      [
        "/etc/anytun/b/config (anytun-controld)",
        "Cannot use mux 'z'",
      ],
      ["/etc/anytun/fleet.yaml (anytun-controld)", undefined],
      ["/etc/anytun/records.yaml (anytun-controld)", undefined],
      [
        "nowhere",
        "there is neither /etc/anytun/nowhere.yaml nor /etc/anytun/nowhere/config; a file elsewhere needs a slash, such as ./nowhere",
      ],
    ],
  );
});

Deno.test("--for says whose file it is", () => {
  const files = { "/home/a.yaml": { text: "file: x\n" } };
  const [own] = check(["./a.yaml"], files);
  assert.equal(own?.fault, undefined);
  const [other] = check(["./a.yaml", "--for", "anytun"], files);
  assert.match(other?.fault ?? "", /there is no option 'file'/);
});
