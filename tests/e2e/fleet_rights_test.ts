import { strict as assert } from "node:assert";
import {
  EXTENSIONS,
  LabEtcd,
  makeAuthority,
  makeCertificate,
  whyNoEtcd,
} from "../../lab/etcd.ts";
import { exists, TestFolder } from "../../lab/daemons.ts";
import { missingCommand } from "../../lab/missing.ts";
import { type Outcome, outcomeOf } from "../../lab/process.ts";
import { asBinary, fromSource, type OurProgram } from "../../lab/programs.ts";
import { testUnless } from "../../lab/test_unless.ts";

const PREFIX = "/anytun";

/** Who has which certificate, is whom, and with what password. */
interface Identity {
  readonly certificate?: string;
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
}

/** What is other than usual. */
interface More {
  readonly prefix?: string;
  /** What the command begins with. */
  readonly before?: readonly string[];
  readonly program?: OurProgram;
  /** In place of the store. */
  readonly url?: string;
}

const OPERATOR = { certificate: "member", user: "operator" };
const CONTROLD = { certificate: "member", user: "controld" };

/** `anytun fleet` of somebody, at the store. */
class FleetProgram {
  readonly folder: string;
  readonly store: LabEtcd;

  constructor(folder: string, store: LabEtcd) {
    this.folder = folder;
    this.store = store;
  }

  /** What the store has, as its root sees it. */
  keys(): Promise<string[]> {
    return this.store.keys(PREFIX, "--user", "root:right");
  }

  /** Where a client's own configuration is to be written. */
  out(name: string): readonly string[] {
    return ["--out", this.file(name)];
  }

  file(name: string): string {
    return `${this.folder}/${name}.yaml`;
  }

  run(
    words: readonly string[],
    { certificate, user, password = "right", ca = "ca" }: Identity,
    {
      prefix = PREFIX,
      before = [],
      program = fromSource,
      url = this.store.url,
    }: More = {},
  ): Promise<Outcome> {
    const at = this.folder;
    return outcomeOf([
      ...before,
      ...program.command,
      ...["fleet", ...words, "--source", `${url}${prefix}`],
      ...["--source-ca", `${at}/${ca}.pem`],
      ...(certificate === undefined ? [] : [
        ...["--source-cert", `${at}/${certificate}.pem`],
        ...["--source-key", `${at}/${certificate}.key`],
      ]),
      ...(user === undefined ? [] : [
        ...["--source-user", user],
        ...["--source-password-file", `${at}/${password}`],
      ]),
    ]);
  }

  async refuse(
    words: readonly string[],
    identity: Identity,
    reason: RegExp,
    more: More = {},
  ): Promise<void> {
    const end = await this.run(words, identity, more);
    assert.notEqual(end.code, 0, end.stdout);
    assert.match(end.stderr, reason);
    assert.equal(end.stdout, "");
  }
}

/** Users with roles by prefix, as docs/fleet.md has them. */
async function giveRights(store: LabEtcd): Promise<void> {
  const { ctl } = { ctl: store.ctl.bind(store) };
  await ctl("role", "add", "root");
  for (const user of ["root", "operator", "controld"]) {
    await ctl("user", "add", `${user}:right`);
  }
  await ctl("user", "grant-role", "root", "root");
  for (const [user, right] of RIGHTS) {
    await ctl("role", "add", user);
    await ctl(
      ...["role", "grant-permission", user, "--prefix=true", right],
      `${PREFIX}/`,
    );
    await ctl("user", "grant-role", user, user);
  }
  await ctl("auth", "enable");
}

const RIGHTS = [["operator", "readwrite"], ["controld", "read"]] as const;

/** Those of the store and of members, and some that are not as they should be. */
async function makeCertificates(folder: string): Promise<void> {
  await makeAuthority(folder, ["store", "member"]);
  const { store, member } = EXTENSIONS;
  await makeCertificate(folder, "named", member, "/CN=operator");
  await makeCertificate(folder, "posing", [store[0], ...member]);
  Deno.mkdirSync(`${folder}/others`);
  await makeAuthority(`${folder}/others`, ["member"]);
}

/** Whether a client's configuration was written. */
function isThere(fleet: FleetProgram, name: string): boolean {
  return exists(fleet.file(name));
}

/** What somebody tries, one after the other. */
interface Step {
  readonly name: string;
  readonly missing?: string | null;
  run(fleet: FleetProgram): Promise<void>;
}

const STEPS: readonly Step[] = [
  {
    name: "four operators at once share no mux",
    async run(fleet) {
      const names = ["a", "b", "c", "d"];
      const ends = await Promise.all(
        names.map((name) =>
          fleet.run(["add", name, ...fleet.out(name)], OPERATOR)
        ),
      );
      for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
      const found = await fleet.keys();
      const muxes = found.filter((key) => key.startsWith(`${PREFIX}/muxes/`));
      assert.equal(muxes.length, names.length, muxes.join());
      for (const name of names) {
        const config = Deno.readTextFileSync(fleet.file(name));
        const [, mux] = /^mux: (\d+)$/m.exec(config) ?? [];
        const owner = await fleet.store.ctl(
          ...["get", "--print-value-only", `${PREFIX}/muxes/${mux}`],
          ...["--user", "root:right"],
        );
        assert.equal(owner.trim(), name);
        const { mode } = Deno.lstatSync(fleet.file(name));
        assert.equal((mode ?? 0) & 0o777, 0o600);
      }
    },
  },
  {
    name: "a control daemon reads, and writes nothing",
    async run(fleet) {
      const before = await fleet.keys();
      const { code, stdout } = await fleet.run(["list"], CONTROLD);
      assert.equal(code, 0);
      assert.match(stdout, /^a .*\nb .*\nc .*\nd /m);
      const denied = /etcdserver: permission denied/;
      await fleet.refuse(["add", "x", ...fleet.out("x")], CONTROLD, denied);
      await fleet.refuse(["remove", "a"], CONTROLD, denied);
      await fleet.refuse(["rotate", "a", "--out", "-"], CONTROLD, denied);
      assert.ok(!isThere(fleet, "x"));
      assert.deepEqual(await fleet.keys(), before);
    },
  },
  {
    name: "the binary reaches the store with the rights that it has",
    missing: asBinary.missing,
    async run(fleet) {
      const end = await fleet.run(["list"], OPERATOR, { program: asBinary });
      assert.equal(end.code, 0, end.stderr);
      assert.match(end.stdout, /^a .*\nb /m);
    },
  },
  {
    name: "an operator writes below the own prefix alone",
    async run(fleet) {
      await fleet.refuse(
        ["add", "x", ...fleet.out("x")],
        OPERATOR,
        /permission denied/,
        { prefix: "/others" },
      );
    },
  },
  {
    name: "who has no certificate, or one of others, gets nothing",
    async run(fleet) {
      const { user } = OPERATOR;
      for (const strange of [{}, { certificate: "others/member" }]) {
        await fleet.refuse(
          ["list"],
          { user, ...strange },
          /Cannot reach https:/,
        );
      }
    },
  },
  {
    name: "a certificate alone is nobody, and a wrong password as well",
    async run(fleet) {
      await fleet.refuse(
        ["list"],
        { certificate: "member" },
        /etcdserver: user name is empty/,
      );
      await fleet.refuse(
        ["list"],
        { ...OPERATOR, password: "wrong" },
        /authentication failed/,
      );
    },
  },
  {
    name: "a certificate with a common name is told what is wrong with it",
    async run(fleet) {
      await fleet.refuse(
        ["list"],
        { ...OPERATOR, certificate: "named" },
        /without a common name/,
      );
    },
  },
  {
    name: "a store with a certificate of others is told nothing",
    async run(fleet) {
      await fleet.refuse(
        ["add", "x", ...fleet.out("x")],
        { ...OPERATOR, ca: "others/ca" },
        /Cannot reach .*: .*certificate/i,
      );
      assert.ok(!isThere(fleet, "x"));
    },
  },
  {
    name:
      "a member's certificate does not pose as the store, with its address in it neither",
    async run(fleet) {
      let asked = 0;
      const serve = (name: string) =>
        Deno.serve({
          hostname: "127.0.0.1",
          port: 0,
          cert: Deno.readTextFileSync(`${fleet.folder}/${name}.pem`),
          key: Deno.readTextFileSync(`${fleet.folder}/${name}.key`),
          onListen: () => {},
        }, () => {
          asked++;
          return new Response("no store", { status: 404 });
        });
      const urlOf = ({ addr: { port } }: Deno.HttpServer<Deno.NetAddr>) =>
        `https://127.0.0.1:${port}`;
      for (const name of ["member", "posing"]) {
        await using liar = serve(name);
        await fleet.refuse(
          ["list"],
          OPERATOR,
          /Cannot reach .*: .*certificate/i,
          { url: urlOf(liar) },
        );
      }
      assert.equal(asked, 0);
      await using other = serve("store");
      const url = urlOf(other);
      await fleet.refuse(["list"], OPERATOR, /HTTP status 404/, { url });
    },
  },
  {
    name: "a disk without room keeps the store from being changed",
    async run(fleet) {
      const before = await fleet.keys();
      await fleet.refuse(["add", "x", ...fleet.out("x")], OPERATOR, /--out/, {
        before: ["bash", "-c", `trap "" XFSZ; ulimit -f 0; exec "$@"`, "bash"],
      });
      assert.ok(!isThere(fleet, "x"));
      assert.deepEqual(await fleet.keys(), before);
    },
  },
  {
    name: "what is removed is gone with its mux",
    async run(fleet) {
      for (const name of ["a", "b", "c", "d"]) {
        assert.equal((await fleet.run(["remove", name], OPERATOR)).code, 0);
      }
      assert.deepEqual(await fleet.keys(), []);
    },
  },
];

testUnless(
  [whyNoEtcd(), missingCommand("openssl")],
  "of a fleet's store each identity may do what its role says",
  async (test) => {
    using folder = new TestFolder();
    const { path } = folder;
    await makeCertificates(path);
    for (const word of ["right", "wrong"]) {
      Deno.writeTextFileSync(folder.file(word), `${word}\n`, { mode: 0o600 });
    }
    await using store = await LabEtcd.start({
      data: folder.file("data"),
      tls: { folder: path, store: "store" },
    });
    await giveRights(store);
    const fleet = new FleetProgram(path, store);
    for (const { name, missing = null, run } of STEPS) {
      await test.step({
        name: missing === null ? name : `${name} (skipped: ${missing})`,
        ignore: missing !== null,
        fn: () => run(fleet),
      });
    }
  },
);
