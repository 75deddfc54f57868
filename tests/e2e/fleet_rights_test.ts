import { strict as assert } from "node:assert";
import {
  EXTENSIONS,
  LabEtcd,
  makeAuthority,
  makeCertificate,
  whyNoEtcd,
} from "../../lab/etcd.ts";
import { missingCommand } from "../../lab/missing.ts";
import { type Outcome, outcomeOf } from "../../lab/process.ts";
import { asBinary, fromSource, type OurProgram } from "../../lab/programs.ts";

const why = Deno.permissions.querySync({ name: "run" }).state !== "granted"
  ? "Deno runs without -A"
  : whyNoEtcd() ?? missingCommand("openssl");

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
  /** In place of the engine. */
  readonly url?: string;
}

const OPERATOR = { certificate: "member", user: "operator" };
const CONTROLD = { certificate: "member", user: "controld" };

class Fleet {
  readonly #folder: string;
  readonly #engine: LabEtcd;

  constructor(folder: string, engine: LabEtcd) {
    this.#folder = folder;
    this.#engine = engine;
  }

  run(
    words: readonly string[],
    { certificate, user, password = "right", ca = "ca" }: Identity,
    {
      prefix = PREFIX,
      before = [],
      program = fromSource,
      url = this.#engine.url,
    }: More = {},
  ): Promise<Outcome> {
    const at = this.#folder;
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
async function giveRights(engine: LabEtcd): Promise<void> {
  const { ctl } = { ctl: engine.ctl.bind(engine) };
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

/** With a certificate that the engine's authority has signed, and without. */
Deno.test({
  name: "of a fleet's engine each identity may do what its role says" +
    (why ? ` (skipped: ${why})` : ""),
  ignore: why !== null,
  async fn(test) {
    const folder = Deno.makeTempDirSync();
    try {
      await makeAuthority(folder, ["engine", "member"]);
      const { engine: said, member } = EXTENSIONS;
      await makeCertificate(folder, "named", member, "/CN=operator");
      await makeCertificate(folder, "posing", [said[0], ...member]);
      Deno.mkdirSync(`${folder}/others`);
      await makeAuthority(`${folder}/others`, ["member"]);
      Deno.writeTextFileSync(`${folder}/right`, "right\n", { mode: 0o600 });
      Deno.writeTextFileSync(`${folder}/wrong`, "wrong\n", { mode: 0o600 });
      await using engine = await LabEtcd.start({
        data: `${folder}/data`,
        tls: { folder, engine: "engine" },
      });
      await giveRights(engine);
      await tryAll(test, folder, engine);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

async function tryAll(
  test: Deno.TestContext,
  folder: string,
  engine: LabEtcd,
): Promise<void> {
  const fleet = new Fleet(folder, engine);
  const keys = () => engine.keys(PREFIX, "--user", "root:right");
  const out = (name: string) => ["--out", `${folder}/${name}.yaml`];
  const isThere = (name: string) =>
    Deno.lstatSync(`${folder}/${name}.yaml`).isFile;

  await test.step("four operators at once share no mux", async () => {
    const names = ["a", "b", "c", "d"];
    const ends = await Promise.all(
      names.map((name) => fleet.run(["add", name, ...out(name)], OPERATOR)),
    );
    for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
    const found = await keys();
    const muxes = found.filter((key) => key.startsWith(`${PREFIX}/muxes/`));
    assert.equal(muxes.length, names.length, muxes.join());
    for (const name of names) {
      const config = Deno.readTextFileSync(`${folder}/${name}.yaml`);
      const [, mux] = /^mux: (\d+)$/m.exec(config) ?? [];
      const owner = await engine.ctl(
        ...["get", "--print-value-only", `${PREFIX}/muxes/${mux}`],
        ...["--user", "root:right"],
      );
      assert.equal(owner.trim(), name);
      const { mode } = Deno.lstatSync(`${folder}/${name}.yaml`);
      assert.equal((mode ?? 0) & 0o777, 0o600);
    }
  });

  await test.step("a control daemon reads, and writes nothing", async () => {
    const before = await keys();
    const { code, stdout } = await fleet.run(["list"], CONTROLD);
    assert.equal(code, 0);
    assert.match(stdout, /^a .*\nb .*\nc .*\nd /m);
    const denied = /etcdserver: permission denied/;
    await fleet.refuse(["add", "x", ...out("x")], CONTROLD, denied);
    await fleet.refuse(["remove", "a"], CONTROLD, denied);
    await fleet.refuse(["rotate", "a", "--out", "-"], CONTROLD, denied);
    assert.throws(() => isThere("x"), Deno.errors.NotFound);
    assert.deepEqual(await keys(), before);
  });

  await test.step({
    name: "the binary reaches the engine with the rights that it has" +
      (asBinary.missing ? ` (skipped: ${asBinary.missing})` : ""),
    ignore: asBinary.missing !== null,
    async fn() {
      const end = await fleet.run(["list"], OPERATOR, { program: asBinary });
      assert.equal(end.code, 0, end.stderr);
      assert.match(end.stdout, /^a .*\nb /m);
    },
  });

  await test.step("an operator writes below the own prefix alone", async () => {
    await fleet.refuse(
      ["add", "x", ...out("x")],
      OPERATOR,
      /permission denied/,
      { prefix: "/others" },
    );
  });

  await test.step("who has no certificate, or one of others, gets nothing", async () => {
    const { user } = OPERATOR;
    for (const strange of [{}, { certificate: "others/member" }]) {
      await fleet.refuse(
        ["list"],
        { user, ...strange },
        /Cannot reach https:/,
      );
    }
  });

  await test.step("a certificate alone is nobody, and a wrong password as well", async () => {
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
  });

  await test.step("a certificate with a common name is told what is wrong with it", async () => {
    await fleet.refuse(
      ["list"],
      { ...OPERATOR, certificate: "named" },
      /without a common name/,
    );
  });

  await test.step("an engine with a certificate of others is told nothing", async () => {
    await fleet.refuse(
      ["add", "x", ...out("x")],
      { ...OPERATOR, ca: "others/ca" },
      /Cannot reach .*: .*certificate/i,
    );
    assert.throws(() => isThere("x"), Deno.errors.NotFound);
  });

  await test.step("a member's certificate does not pose as the engine, with its address in it neither", async () => {
    let asked = 0;
    const serve = (name: string) =>
      Deno.serve({
        hostname: "127.0.0.1",
        port: 0,
        cert: Deno.readTextFileSync(`${folder}/${name}.pem`),
        key: Deno.readTextFileSync(`${folder}/${name}.key`),
        onListen: () => {},
      }, () => {
        asked++;
        return new Response("no engine", { status: 404 });
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
    await using other = serve("engine");
    const url = urlOf(other);
    await fleet.refuse(["list"], OPERATOR, /HTTP status 404/, { url });
  });

  await test.step("a disk without room keeps the engine from being changed", async () => {
    const before = await keys();
    await fleet.refuse(["add", "x", ...out("x")], OPERATOR, /--out/, {
      before: ["bash", "-c", `trap "" XFSZ; ulimit -f 0; exec "$@"`, "bash"],
    });
    assert.throws(() => isThere("x"), Deno.errors.NotFound);
    assert.deepEqual(await keys(), before);
  });

  await test.step("what is removed is gone with its mux", async () => {
    for (const name of ["a", "b", "c", "d"]) {
      assert.equal((await fleet.run(["remove", name], OPERATOR)).code, 0);
    }
    assert.deepEqual(await keys(), []);
  });
}
