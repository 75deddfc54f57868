import assert from "node:assert/strict";
import { buildPackage } from "../../tasks/deb.ts";
import { missingCommand } from "../../lab/missing.ts";
import { outcomeOf, run } from "../../lab/process.ts";
import { asBinary } from "../../lab/programs.ts";
import { ScratchRoot, whyNoScratchRoot } from "../../lab/scratch_root.ts";

const EPOCH = 1_600_000_000;

const PATIENCE = { seconds: 300 };

/** Built once, as fast as can be. */
let built: Promise<string> | undefined;
const folder = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function build(out = "first"): Promise<string> {
  const [binary = ""] = asBinary.command;
  return buildPackage({
    binary,
    out: `${folder}/${out}`,
    epoch: EPOCH,
    level: 0,
  });
}

function thePackage(): Promise<string> {
  return built ??= build();
}

function packageTest(
  name: string,
  missing: readonly (string | null)[],
  fn: (path: string) => Promise<void>,
): void {
  const reason = [asBinary.missing, missingCommand("dpkg-deb"), ...missing]
    .find((why) => why !== null);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn: async () => fn(await thePackage()),
  });
}

/** A field of its control file. */
const field = (path: string, name: string) =>
  run(["dpkg-deb", "--field", path, name]);

interface Content {
  readonly mode: string;
  readonly owner: string;
  /** Where a link leads. */
  readonly link: string | undefined;
}

async function contentsOf(path: string): Promise<Map<string, Content>> {
  const lines = (await run(["dpkg-deb", "--contents", path])).trim().split(
    "\n",
  );
  return new Map(lines.map((line) => {
    const [mode = "", owner = "", , , , ...rest] = line.split(/\s+/);
    const [name = "", link] = rest.join(" ").split(" -> ");
    return [name.slice(1), { mode, owner, link }];
  }));
}

packageTest(
  "the package is the same whenever it is built",
  [],
  async (path) => {
    const again = await build("second");
    assert.equal(again.split("/").at(-1), path.split("/").at(-1));
    assert.equal((await outcomeOf(["cmp", path, again], PATIENCE)).code, 0);
  },
);

packageTest(
  "the package stands in for Debian's anytun, and says so",
  [],
  async (path) => {
    for (const name of ["Provides", "Conflicts", "Replaces"]) {
      assert.equal((await field(path, name)).trim(), "anytun", name);
    }
    assert.match(await field(path, "Recommends"), /libssl3/);
  },
);

packageTest(
  "the package has its programs, links, units and manuals in their places",
  [],
  async (path) => {
    const contents = await contentsOf(path);
    const others = [...contents].filter(([, { owner }]) =>
      owner !== "root/root"
    );
    assert.deepEqual(others, []);
    assert.equal(contents.get("/usr/sbin/anytun")?.mode, "-rwxr-xr-x");
    for (const name of ["config", "controld", "genkey", "showtables"]) {
      const link = contents.get(`/usr/bin/anytun-${name}`)?.link;
      assert.equal(link, "../sbin/anytun", name);
    }
    for (
      const name of [
        ...["/etc/anytun/README", "/etc/default/anytun", "/etc/init.d/anytun"],
        "/usr/lib/anytun-launcher",
        "/usr/lib/systemd/system-generators/anytun-generator",
        "/usr/lib/systemd/system/anytun-controld@.service",
        "/usr/lib/systemd/system/anytun.service",
        "/usr/lib/systemd/system/anytun@.service",
        "/usr/lib/sysusers.d/anytun.conf",
        "/usr/lib/tmpfiles.d/anytun.conf",
        "/usr/share/anytun/examples/anytun.yaml",
        "/usr/share/anytun/examples/site-a.yaml",
        "/usr/share/bash-completion/completions/anytun",
        "/usr/share/doc/anytun-deno/changelog.Debian.gz",
        "/usr/share/doc/anytun-deno/copyright",
        "/usr/share/fish/vendor_completions.d/anytun.fish",
        "/usr/share/man/man8/anytun.8.gz",
        "/usr/share/man/man8/anytun-controld.8.gz",
        "/usr/share/zsh/vendor-completions/_anytun",
      ]
    ) assert.ok(contents.has(name), name);
    const conffiles = await run(["dpkg-deb", "--info", path, "conffiles"]);
    const inEtc = [...contents.keys()].filter((name) =>
      name.startsWith("/etc/") && !name.endsWith("/")
    );
    assert.deepEqual(conffiles.trim().split("\n").toSorted(), inEtc.toSorted());
  },
);

packageTest(
  "lintian finds nothing in the package that has no reason",
  [missingCommand("lintian")],
  async (path) => {
    const argv = ["lintian", "--fail-on", "error,warning", path];
    const { code, stdout } = await outcomeOf(argv, PATIENCE);
    assert.equal(stdout, "");
    assert.equal(code, 0);
  },
);

packageTest(
  "the scripts of the package are of the shell's grammar",
  [],
  async () => {
    const root = new URL("../../packaging/", import.meta.url).pathname;
    const scripts = [
      ...["preinst", "postinst", "prerm", "postrm"].map((name) =>
        `deb/${name}`
      ),
      ...["sysv/init", "sysv/anytun-launcher", "systemd/anytun-generator"],
    ];
    for (const script of scripts) await run(["dash", "-n", `${root}${script}`]);
  },
);

/** On top of this host, which has Debian's package. */
const noRoot = await whyNoScratchRoot();
const noDebian = await isInstalled("anytun")
  ? null
  : "Debian's anytun is not installed";

async function isInstalled(name: string): Promise<boolean> {
  if (missingCommand("dpkg-query") !== null) return false;
  const argv = [
    "dpkg-query",
    "--show",
    "--showformat=${db:Status-Abbrev}",
    name,
  ];
  const { stdout } = await outcomeOf(argv);
  return stdout.startsWith("ii");
}

packageTest(
  "Debian's anytun is replaced, with its files in use, and what comes after",
  [noRoot, noDebian, missingCommand("systemd-sysusers")],
  async (path) => {
    await using root = await ScratchRoot.open();
    const DEB = "/run/anytun-deno.deb";
    await root.put(path, DEB);
    await root.sh(`
      cp -r /usr/share/anytun/examples/config/. /etc/anytun/
      echo '# mine' >>/etc/default/anytun
    `);
    const install = () =>
      root.sh(`dpkg --force-confold -i ${DEB} 2>&1`, PATIENCE);
    const said = await install();
    assert.match(said, /may read \/etc\/anytun\/server\/conf\.d\/client1 now/);
    assert.match(await root.sh("anytun --version"), /\(anytun for Deno\)/);
    assert.match(
      await root.sh("anytun-showtables --version"),
      /^anytun-showtables /,
    );
    const status = "dpkg-query --showformat='${db:Status-Abbrev}' --show";
    assert.equal(await root.sh(`${status} anytun-deno`), "ii");
    assert.match(await root.sh(`${status} anytun`), /^.c/);
    const units = "anytun.service anytun@.service anytun-controld@.service";
    const areThere = `cd /usr/lib/systemd/system && ls ${units} ` +
      "../system-generators/anytun-generator /etc/init.d/anytun";
    await root.sh(areThere);
    assert.equal(await root.sh("dpkg-divert --list '*usr-is-merged*'"), "");
    assert.match(await root.sh("cat /etc/default/anytun"), /# mine/);
    const files =
      "stat -c %U:%G:%a /etc/anytun/server/config /etc/anytun/server/conf.d/client1";
    assert.equal(await root.sh(files), "root:anytun:640\nroot:anytun:640");
    await root.sh("test $(stat -c %U:%a /run/anytun) = anytun:700");

    // What is left of Debian's package takes its user with it.
    await root.sh("dpkg --purge anytun 2>&1");
    await root.sh(areThere);
    await root.sh("dpkg-reconfigure anytun-deno 2>&1");
    await root.sh("id anytun");
    await root.sh(
      "ls /etc/rc2.d/S*anytun /etc/systemd/system/multi-user.target.wants/anytun.service",
    );

    await root.sh(
      "chmod 600 /etc/anytun/p2p-a/config && mkdir -p /var/lib/anytun",
    );
    await install();
    assert.match(await root.sh("cat /etc/default/anytun"), /# mine/);
    await root.sh("test $(stat -c %a /etc/anytun/p2p-a/config) = 600");

    await root.sh("dpkg --remove anytun-deno 2>&1");
    await root.sh("test ! -e /usr/sbin/anytun && test -e /etc/init.d/anytun");
    assert.match(
      await root.sh("dpkg --purge anytun-deno 2>&1"),
      /so \/var\/lib\/anytun stays/,
    );
    await root.sh(
      "test ! -e /etc/init.d/anytun && test -e /etc/anytun/server/config",
    );
    await root.sh(
      "test -e /var/lib/anytun && test ! -e /etc/systemd/system/multi-user.target.wants/anytun.service",
    );
    await install();
    await root.sh("rm -r /etc/anytun/*/ /etc/anytun/autostart");
    await root.sh(
      "dpkg --purge anytun-deno 2>&1 && test ! -e /var/lib/anytun && test ! -e /etc/anytun",
    );
  },
);
