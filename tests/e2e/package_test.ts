import assert from "node:assert/strict";
import { buildPackage } from "../../tasks/deb.ts";
import { missingCommand } from "../../lab/missing.ts";
import { outcomeOf, run } from "../../lab/process.ts";
import { asBinary } from "../../lab/programs.ts";
import { ScratchRoot, whyNoScratchRoot } from "../../lab/scratch_root.ts";
import { testUnless } from "../../lab/test_unless.ts";

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
  const needed = [asBinary.missing, missingCommand("dpkg-deb"), ...missing];
  testUnless(needed, name, async () => fn(await thePackage()));
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
    for (
      const name of ["config", "controld", "genkey", "showtables", "status"]
    ) {
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

const PACKAGING = new URL("../../packaging/", import.meta.url).pathname;

for (
  const unit of [
    "anytun.service",
    "anytun@.service",
    "anytun-controld@.service",
  ]
) {
  packageTest(
    `systemd finds no more than 2.0 to be exposed by ${unit}`,
    [missingCommand("systemd-analyze")],
    async () => {
      const path = `${PACKAGING}systemd/${unit}`;
      const argv = ["systemd-analyze", "security", "--offline=true"];
      const { code, stdout } = await outcomeOf([
        ...argv,
        "--threshold=20",
        path,
      ]);
      assert.equal(code, 0, stdout);
    },
  );
}

packageTest(
  "the generator starts what autostart names, and control daemons beside it",
  [],
  async () => {
    const etc = await Deno.makeTempDir();
    try {
      for (const name of ["a", "server", "new", "odd name"]) {
        await Deno.mkdir(`${etc}/${name}/conf.d`, { recursive: true });
      }
      await Deno.remove(`${etc}/a/conf.d`);
      await Deno.writeTextFile(`${etc}/new.yaml`, "");
      const names = "a server # b\n#c\n../x * $(id) -rf\n\nd";
      await Deno.writeTextFile(`${etc}/autostart`, names);
      const generator = `${PACKAGING}systemd/anytun-generator`;
      const { code, stderr } = await outcomeOf(
        ["env", `ANYTUN_ETC=${etc}`, "sh", generator, `${etc}/units`],
      );
      assert.equal(code, 0, stderr);
      assert.equal(stderr.trim().split("\n").length, 4, stderr);
      const links = await run(["find", `${etc}/units`, "-type", "l"]);
      assert.deepEqual(
        links.trim().split("\n").map((path) => path.slice(etc.length))
          .toSorted(),
        [
          "/units/anytun.service.wants/anytun@a.service",
          "/units/anytun.service.wants/anytun@d.service",
          "/units/anytun.service.wants/anytun@server.service",
          "/units/anytun@server.service.wants/anytun-controld@server.service",
        ],
      );
    } finally {
      await Deno.remove(etc, { recursive: true });
    }
  },
);

packageTest(
  "the scripts of the package are of the shell's grammar",
  [],
  async () => {
    const scripts = [
      ...["preinst", "postinst", "prerm", "postrm"].map((name) =>
        `deb/${name}`
      ),
      ...["sysv/init", "sysv/anytun-launcher", "systemd/anytun-generator"],
    ];
    for (const script of scripts) {
      await run(["dash", "-n", `${PACKAGING}${script}`]);
    }
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

const DEB = "/run/anytun-deno.deb";
const WANTED = "/etc/systemd/system/multi-user.target.wants/anytun.service";

async function install(root: ScratchRoot): Promise<string> {
  return await root.sh(`dpkg -i ${DEB} 2>&1`, PATIENCE);
}

packageTest(
  "Debian's anytun is replaced, with its files in use, and what comes after",
  [noRoot, noDebian, missingCommand("systemd-sysusers")],
  async (path) => {
    await using root = await ScratchRoot.open();
    await root.put(path, DEB);
    await root.sh("cp -r /usr/share/anytun/examples/config/. /etc/anytun/");
    await replaceDebians(root);
    await purgeDebians(root);
    await upgrade(root);
    await useInitScript(root);
    await comeBack(root);
    await removeAndPurge(root);
  },
);

const UNITS = `cd /usr/lib/systemd/system &&
  ls anytun.service anytun@.service anytun-controld@.service \
    ../system-generators/anytun-generator /etc/init.d/anytun`;

async function replaceDebians(root: ScratchRoot): Promise<void> {
  const said = await install(root);
  assert.match(said, /may read \/etc\/anytun\/server\/conf\.d\/client1 now/);
  assert.match(await root.sh("anytun --version"), /\(anytun for Deno\)/);
  const tool = await root.sh("anytun-showtables --version");
  assert.match(tool, /^anytun-showtables /);
  const status = "dpkg-query --showformat='${db:Status-Abbrev}' --show";
  assert.equal(await root.sh(`${status} anytun-deno`), "ii");
  assert.match(await root.sh(`${status} anytun`), /^.c/);
  await root.sh(UNITS);
  assert.equal(await root.sh("dpkg-divert --list '*usr-is-merged*'"), "");
  assert.match(await root.sh("cat /etc/default/anytun"), /anytun-launcher/);
  const modes = await root.sh(
    "cd /etc/anytun/server && stat -c %U:%G:%a config conf.d/client1",
  );
  assert.equal(modes, "root:anytun:640\nroot:anytun:640");
  await root.sh("test $(stat -c %U:%a /run/anytun) = anytun:700");
}

/** What is left of Debian's package takes its user with it. */
async function purgeDebians(root: ScratchRoot): Promise<void> {
  await root.sh("dpkg --purge anytun 2>&1");
  await root.sh(UNITS);
  await root.sh("dpkg-reconfigure anytun-deno 2>&1");
  await root.sh(`id anytun && ls /etc/rc2.d/S*anytun ${WANTED}`);
}

/** What an administrator has changed stays so. */
async function upgrade(root: ScratchRoot): Promise<void> {
  await root.sh("echo '# mine' >>/etc/default/anytun");
  await root.sh("chmod 600 /etc/anytun/p2p-a/config");
  await install(root);
  assert.match(await root.sh("cat /etc/default/anytun"), /# mine/);
  await root.sh("test $(stat -c %a /etc/anytun/p2p-a/config) = 600");
}

/** Without systemd: there is none in this root. */
async function useInitScript(root: ScratchRoot): Promise<void> {
  await root.sh(`
    mkdir /etc/anytun/here
    umask 077
    cat >/etc/anytun/here/config <<END
remote-host 127.0.0.1
ifconfig 10.99.0.1/30
passphrase secret
END
    echo 'here # and no other' >/etc/anytun/autostart
    /etc/init.d/anytun start
    test -s /run/anytun/here.pid
    ip address show to 10.99.0.1/30 | grep -q tun
  `);
  const before = await root.sh("cat /run/anytun/here.pid");
  const status = await root.sh(`cat /proc/${before}/status`);
  assert.doesNotMatch(status, /^Uid:.*\b0\b/m);
  assert.match(await root.sh("/etc/init.d/anytun status"), /is running/);
  await root.sh("/etc/init.d/anytun start here");
  assert.equal(await root.sh("cat /run/anytun/here.pid"), before);
  await root.sh("/etc/init.d/anytun reload");
  await root.sh(`kill -0 ${before} && /etc/init.d/anytun restart`);
  assert.notEqual(await root.sh("cat /run/anytun/here.pid"), before);
  const unknown = ["/etc/init.d/anytun", "start", "nobody"];
  assert.equal((await root.outcomeOf(unknown)).code, 1);
  // Names come from a folder of the daemons' user, too.
  await root.sh("touch '/run/anytun/../up.pid' '/run/anytun/-x y.pid'");
  await root.sh("rm /run/up.pid && /etc/init.d/anytun stop");
  await root.sh("test ! -e /run/anytun/here.pid");
  assert.equal(await root.sh("ip -o link show type tun"), "");
}

/** As from Debian's package; what starts then is in the walk through. */
async function comeBack(root: ScratchRoot): Promise<void> {
  await root.sh(`
    dpkg --remove anytun-deno 2>&1
    chown root:root /etc/anytun/here/config
    chmod 600 /etc/anytun/here/config
  `);
  const said = await install(root);
  assert.match(said, /may read \/etc\/anytun\/here\/config now/);
}

async function removeAndPurge(root: ScratchRoot): Promise<void> {
  await root.sh("mkdir -p /var/lib/anytun && dpkg --remove anytun-deno 2>&1");
  await root.sh("test ! -e /usr/sbin/anytun && test -e /etc/init.d/anytun");
  await root.sh("echo keys >/var/lib/anytun/clients-1");
  const said = await root.sh("dpkg --purge anytun-deno 2>&1");
  assert.match(said, /so \/var\/lib\/anytun stays/);
  await root.sh("test ! -e /var/lib/anytun/clients-1");
  await root.sh("test ! -e /etc/init.d/anytun && test -e /var/lib/anytun");
  await root.sh(`test -e /etc/anytun/server/config && test ! -e ${WANTED}`);
  await install(root);
  await root.sh("rm -r /etc/anytun/*/ /etc/anytun/autostart");
  await root.sh("dpkg --purge anytun-deno 2>&1");
  await root.sh("test ! -e /var/lib/anytun && test ! -e /etc/anytun");
}
