import assert from "node:assert/strict";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { outcomeOf, run } from "../../lab/process.ts";
import { asBinary } from "../../lab/programs.ts";
import { buildImage, TAG } from "../../tasks/oci.ts";
import { testUnless } from "../../lab/test_unless.ts";

const PATIENCE = { seconds: 120 };

const reason = [
  asBinary.missing,
  whyNoLab(),
  ...["umoci", "ldd", "dpkg-query", "unshare"].map(missingCommand),
].find((why) => why !== null);

/**
 * Runs the program of an unpacked image as a container would: with processes, a
 * network and devices of its own, and without anything else of the host. The
 * first process is the shell: what changes its user outlives its parent
 * (prctl(2), PR_SET_PDEATHSIG).
 */
const CONTAINER = `
set -e
root=$1
shift
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/net"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/net/tun" c 10 200
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=700 state "$root/var/lib/anytun"
ip link set lo up
chroot "$root" "$@"
exit $?
`;

function contained(root: string, ...argv: readonly string[]): string[] {
  return [
    ...["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"],
    ...["sh", "-c", CONTAINER, "container", root, ...argv],
  ];
}

testUnless(
  [reason ?? null],
  "the image holds the program and what it needs, and sets up a tunnel",
  async () => {
    const [binary = ""] = asBinary.command;
    const folder = await Deno.makeTempDir();
    try {
      const image = { binary, epoch: 1_600_000_000 };
      await buildImage({ ...image, out: `${folder}/one` });
      await buildImage({ ...image, out: `${folder}/two` });
      const index = (name: string) =>
        Deno.readTextFileSync(`${folder}/${name}/index.json`);
      assert.equal(index("one"), index("two"), "it is not the same each time");
      await run([
        ...["umoci", "unpack", "--image", `${folder}/one:${TAG}`],
        `${folder}/bundle`,
      ], PATIENCE);
      const root = `${folder}/bundle/rootfs`;
      const programs = await run(["find", root, "-path", "*bin/*"]);
      assert.equal(programs.trim(), `${root}/usr/sbin/anytun`);
      for (const name of ["dev", "proc"]) await Deno.mkdir(`${root}/${name}`);
      await tryProgram(root);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

async function tryProgram(root: string): Promise<void> {
  const version = await outcomeOf(
    contained(root, "/usr/sbin/anytun", "--version"),
  );
  assert.match(version.stdout, /\(anytun for Deno\)/, version.stderr);
  const child = new Deno.Command("unshare", {
    args: contained(root, "/usr/sbin/anytun", ...TUNNEL).slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // Its parent is the whole container.
  const lines = child.stdout.pipeThrough(new TextDecoderStream());
  let text = "";
  for await (const piece of lines) {
    text += piece;
    if (text.includes("tunnel is set up")) break;
  }
  child.kill("SIGKILL");
  await child.status;
  assert.match(text, /engine (ipsec-mb|openssl)/);
  assert.match(text, /dropped privileges to anytun:anytun/);
  assert.match(text, /tunnel is set up/);
}

const TUNNEL = [
  ...["--nodaemonize", "--username", "anytun", "--log", "stdout:4"],
  ...["--ifconfig", "10.99.0.1/30", "--remote-host", "127.0.0.1"],
  ...["--passphrase", "secret"],
];
