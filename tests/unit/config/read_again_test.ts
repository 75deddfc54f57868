import { strict as assert } from "node:assert";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { OptionFault } from "../../../src/config/fault.ts";
import { readingAgain } from "../../../src/config/read_again.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

const ROOT = { username: undefined, chroot: undefined };
const NOTHING = { values: {}, isLive: () => true };
const ARGV = ["-D", "-w", "64", "--passphrase-file", "words"];

function reading(files: Record<string, FakeFile>, present = ROOT) {
  const read = () => readAnytunCommandLine(ARGV, RUNTIME, fakeHostFiles(files));
  const again = readingAgain(present, read);
  return () => again(NOTHING);
}

Deno.test("options are read again with what their files hold by then", () => {
  const files: Record<string, FakeFile> = { words: { text: "first" } };
  const again = reading(files);
  assert.equal(again().options.secrets?.passphrase, "first");
  files.words = { text: "second", isPublic: true };
  const { options, warnings } = again();
  assert.equal(options.secrets?.passphrase, "second");
  assert.match(warnings.join(), /use chmod 600/);
});

Deno.test("what cannot be read again is a fault that names it", () => {
  assert.throws(reading({}), (error) => {
    assert.ok(error instanceof OptionFault);
    assert.match(error.message, /'words' \(--passphrase-file\).*ENOENT$/);
    return true;
  });
});

Deno.test("after a change of user or root, the fault says what to do", () => {
  const present = { username: "nobody", chroot: "/srv/jail" };
  const again = readingAgain(present, () => ({
    ...{ kind: "error", status: 255, isOutOfReach: true },
    stderr: "it cannot be opened\n",
  }));
  assert.throws(() => again(NOTHING), {
    message: "it cannot be opened; files outside of the jail '/srv/jail' " +
      "(--chroot) are out of reach: they need a copy in it, or a restart of " +
      "the daemon; the daemon is user 'nobody' now (--username): files that " +
      "this user cannot read need chgrp and chmod 640, or a restart of the " +
      "daemon",
  });
});

Deno.test("a fault in what can be read says nothing of users", () => {
  const present = { username: "nobody", chroot: "/srv/jail" };
  const again = readingAgain(present, () => ({
    ...{ kind: "error", status: 255 },
    stderr: "--mtu 1 needs more\n",
  }));
  assert.throws(() => again(NOTHING), { message: "--mtu 1 needs more" });
});

Deno.test("a file that is missing or closed is out of reach, a wrong one is not", () => {
  const reach = (file: FakeFile | undefined) => {
    const files = fakeHostFiles(file && { words: file });
    const read = readAnytunCommandLine(ARGV, RUNTIME, files);
    return read.kind === "error" && read.isOutOfReach === true;
  };
  assert.ok(reach(undefined));
  assert.ok(!reach({ text: "" }));
  const argv = ["-D", "--config", "nowhere"];
  const config = readAnytunCommandLine(argv, RUNTIME, fakeHostFiles());
  assert.ok(config.kind === "error" && config.isOutOfReach);
});
