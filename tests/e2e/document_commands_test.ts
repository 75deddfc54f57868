import { strict as assert } from "node:assert";
import { Hosts, type LabHost } from "../../lab/host.ts";
import { whyNoTls } from "../../lab/certificates.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { OwnFolders } from "../../lab/own_folders.ts";
import {
  type Block,
  blocksOf,
  looksLike,
  stepsOf,
} from "../../lab/document_blocks.ts";
import { testUnless } from "../../lab/test_unless.ts";

/** Hosts of a document, by the names that its blocks call them. */
type Named<T> = Readonly<Record<string, T>>;

interface Story {
  /** One after the other, on the same hosts. */
  readonly documents: readonly string[];
  readonly hosts: readonly string[];
  /** What there is between them before the story begins. */
  join(hosts: Named<LabHost>): Promise<void>;
  /** Where hosts are that have no address of the first cable. */
  readonly addresses?: Named<string>;
  /** Why it cannot be played here, if it cannot. */
  readonly why?: string | null;
  /** What is there on each host before the story begins. */
  readonly before?: string;
  /** Programs that it takes beside our own. */
  readonly programs?: readonly string[];
}

const root = new URL("../../", import.meta.url);
const SHELLS = ["sh", "console"];

/** For the folder of the project: tests of their own run these. */
const PROJECT = "project";

function read(document: string): Block[] {
  return blocksOf(Deno.readTextFileSync(new URL(document, root)));
}

function hostOf<T>(hosts: Named<T>, name: string): T {
  const host = hosts[name];
  if (host === undefined) throw new Error(`There is no host '${name}'`);
  return host;
}

/** Two hosts on one cable, 192.0.2.1 and 192.0.2.2. */
async function pair(hosts: Named<LabHost>): Promise<void> {
  const [left, right] = Object.values(hosts);
  assert.ok(left && right);
  await left.join("eth0", right, "eth0");
  for (const host of [left, right]) {
    await host.address("eth0", `${host.ipv4}/24`);
  }
}

/** A network behind each of the two, with one host in it. */
async function sites(hosts: Named<LabHost>): Promise<void> {
  await pair(hosts);
  for (const [number, [gateway, inside]] of SITES.entries()) {
    const [host, guest] = [hostOf(hosts, gateway), hostOf(hosts, inside)];
    const network = `10.${number + 1}.0`;
    await host.join("lan", guest, "eth0");
    await host.address("lan", `${network}.1/24`);
    await guest.address("eth0", `${network}.10/24`);
    await guest.ip("route", "add", "default", "via", `${network}.1`);
  }
}

const SITES = [["left", "desk"], ["right", "server"]] as const;

/** Servers on one network with a router, and a client on another one. */
async function anycast(hosts: Named<LabHost>): Promise<void> {
  const router = hostOf(hosts, "router");
  const client = hostOf(hosts, "client");
  await router.ip("link", "add", "lan", "type", "bridge");
  await router.address("lan", `${router.ipv4}/24`);
  for (const name of ["server1", "server2"]) {
    const server = hostOf(hosts, name);
    await server.join("eth0", router, name);
    await server.address("eth0", `${server.ipv4}/24`);
    await server.ip("route", "add", "default", "via", router.ipv4);
    await router.ip("link", "set", name, "master", "lan", "up");
  }
  await client.join("eth0", router, "client");
  await client.address("eth0", "203.0.113.9/24");
  await router.address("client", "203.0.113.1/24");
  await client.ip("route", "add", "default", "via", "203.0.113.1");
  await router.exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
}

/** Three hosts on one network. */
async function network(hosts: Named<LabHost>): Promise<void> {
  const [first, ...others] = Object.values(hosts);
  assert.ok(first);
  await first.ip("link", "add", "lan", "type", "bridge");
  await first.address("lan", `${first.ipv4}/24`);
  for (const [k, host] of others.entries()) {
    await host.join("eth0", first, `port${k}`);
    await host.address("eth0", `${host.ipv4}/24`);
    await first.ip("link", "set", `port${k}`, "master", "lan", "up");
  }
}

/** What a release has, for those that install it. */
const RELEASE = "cp /usr/local/sbin/anytun anytun-linux-x86_64; " +
  "sha256sum anytun-linux-x86_64 >SHA256SUMS";

const STORIES: readonly Story[] = [
  { documents: ["README.md"], hosts: ["left", "right"], join: pair },
  {
    documents: ["docs/install.md"],
    hosts: ["left"],
    join: () => Promise.resolve(),
    before: RELEASE,
  },
  {
    documents: [
      "docs/quick-start.md",
      "docs/monitoring.md",
      "docs/health.md",
      "docs/troubleshooting.md",
      "docs/configuration.md",
    ],
    hosts: ["left", "right"],
    join: pair,
    programs: ["curl"],
  },
  {
    documents: ["docs/many-clients.md"],
    hosts: ["server", "client"],
    join: pair,
  },
  {
    documents: ["docs/replacing-the-original.md"],
    hosts: ["left", "right"],
    join: pair,
  },
  {
    documents: ["docs/quick-start.md", "docs/site-to-site.md"],
    hosts: ["left", "right", "desk", "server"],
    join: sites,
    programs: ["nft"],
  },
  {
    documents: ["docs/anycast.md"],
    hosts: ["router", "server1", "server2", "client"],
    join: anycast,
    why: whyNoTls,
    addresses: { client: "203.0.113.9" },
    programs: ["bird", "openssl"],
  },
  {
    documents: ["docs/fleet.md"],
    hosts: ["store", "server", "client"],
    join: network,
    programs: ["etcd", "etcdctl", "openssl"],
  },
];

Deno.test("each document with something to type is part of a story", () => {
  const names = Array.from(Deno.readDirSync(new URL("docs", root)))
    .map(({ name }) => `docs/${name}`).filter((name) => name.endsWith(".md"));
  const typed = ["README.md", ...names].filter((document) =>
    read(document).some(({ language, words: [host] }) =>
      SHELLS.includes(language) && host !== PROJECT
    )
  );
  const played = new Set(STORIES.flatMap(({ documents }) => documents));
  assert.deepEqual([...played].toSorted(), typed.toSorted());
});

for (const [number, story] of STORIES.entries()) {
  const why = whyNoLab() ?? story.why ?? missingOf(story);
  testUnless(
    [why ?? null],
    `all that ${story.documents.join(" and ")} say to do can be done`,
    () => play(story, number),
  );
}

function missingOf({ programs = [] }: Story): string | undefined {
  return ["bash", ...programs].map(missingCommand)
    .find((reason) => reason !== null) ?? undefined;
}

async function play(story: Story, number: number): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const names = story.hosts.map((_, k) => `doc${Deno.pid}-${number}${k}`);
    await using made = await Hosts.make(names);
    const hosts = Object.fromEntries(
      story.hosts.map((name, k) => [name, made.at(k)]),
    );
    await made.connect(() => story.join(hosts));
    const places = Object.entries(hosts).map(([name, host]) =>
      [story.addresses?.[name] ?? host.ipv4, `${folder}/${name}`] as const
    );
    const owners: Record<string, OwnFolders> = {};
    for (const [name, host] of Object.entries(hosts)) {
      owners[name] = await OwnFolders.make(
        host,
        `${folder}/${name}`,
        Object.fromEntries(places),
      );
    }
    for (const owner of Object.values(owners)) {
      await succeed(owner, story.before ?? "", "before");
    }
    for (const document of story.documents) {
      for (const block of read(document)) {
        await doBlock(block, owners, document);
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Does what a block says on its host, or on each of `left,right`. */
async function doBlock(
  { language, words, text, line }: Block,
  hosts: Named<OwnFolders>,
  document: string,
): Promise<void> {
  const [names, path] = words;
  const where = `${document}:${line}`;
  const isTyped = SHELLS.includes(language) && names !== PROJECT;
  if (path === undefined && !isTyped) return;
  assert.ok(names !== undefined, `${where} does not say which host it is for`);
  for (const name of names.split(",")) {
    const host = hostOf(hosts, name);
    if (path !== undefined) host.write(path, text);
    else if (language === "sh") await succeed(host, text, where);
    else await doSteps(host, text, where);
  }
}

async function doSteps(
  host: OwnFolders,
  text: string,
  where: string,
): Promise<void> {
  for (const { command, shown } of stepsOf(text)) {
    const { code, text } = await host.sh(command);
    assert.equal(code, 0, `${where}: ${command}\n${text}`);
    if (shown === undefined) continue;
    assert.ok(
      looksLike(text, shown),
      `${where}: ${command} prints\n${text}\nand not\n${shown}`,
    );
  }
}

async function succeed(
  host: OwnFolders,
  script: string,
  where: string,
): Promise<void> {
  const { code, text } = await host.sh(script);
  assert.equal(code, 0, `${where}: ${script}\n${text}`);
}
