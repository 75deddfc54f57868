import { strict as assert } from "node:assert";
import project from "../../deno.json" with { type: "json" };
import { anytunTable } from "../../src/config/anytun.ts";
import { controldTable } from "../../src/config/controld.ts";
import { TABLES } from "../../man/programs.ts";
import { namesOf, type Option } from "../../src/config/option.ts";
import {
  type FailoverReport,
  renderTables as renderFailovers,
} from "../../bench/failover/report.ts";
import { renderTable, type Report } from "../../bench/hostile/report.ts";
import type { SoakRecord } from "../../bench/soak/record.ts";
import { renderTables } from "../../bench/soak/tables.ts";
import { type FuzzRecord, tableOf } from "../fuzz/results.ts";
import { targetNames } from "../fuzz/target.ts";
import { CAUSE_WORDS } from "../../src/tunnel/causes.ts";
import {
  CONNECTION_COUNTER_INFOS,
  PLANE_COUNTER_INFOS,
} from "../../src/tunnel/counters.ts";
import { walk } from "./walk.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { whyNoPrograms } from "../../lab/missing.ts";

const root = new URL("../../", import.meta.url);

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...[...walk(root, "docs")].filter((path) => path.endsWith(".md")),
];

/** What administrators read beside the manual pages. */
const MANUALS = [
  "docs/anycast.md",
  "docs/configuration.md",
  "docs/fleet.md",
  "docs/health.md",
  "docs/install.md",
  "docs/many-clients.md",
  "docs/monitoring.md",
  "docs/quick-start.md",
  "docs/replacing-the-original.md",
  "docs/site-to-site.md",
  "docs/troubleshooting.md",
];

/** Options of other programs, of Deno and OpenSSL. */
const FOREIGN = ["--allow-read", "-nodes"];

/**
 * The folders of a Linux host that people know, paths of --metrics, and the
 * prefix of a fleet.
 */
const KNOWN_FOLDERS = [
  "anytun",
  ...["metrics", "healthz", "readyz"],
  "bin",
  "dev",
  "etc",
  "proc",
  "run",
  "sbin",
  "sys",
  "usr",
  "var",
];

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

function exists(path: string, from = ""): boolean {
  try {
    Deno.statSync(new URL(path, new URL(from, root)));
    return true;
  } catch {
    return false;
  }
}

/** All first groups of a pattern, each named after the document it is in. */
function* mentions(
  pattern: RegExp,
  paths: readonly string[] = DOCUMENTS,
): Generator<{ readonly path: string; readonly text: string }> {
  for (const path of paths) {
    for (const [, text = ""] of read(path).matchAll(pattern)) {
      yield { path, text };
    }
  }
}

/** What is mentioned although it should not be, for people. */
function listOf(
  found: Iterable<{ readonly path: string; readonly text: string }>,
  isRight: (text: string, path: string) => boolean,
): string[] {
  return [...found].filter(({ path, text }) => !isRight(text, path))
    .map(({ path, text }) => `${path}: ${text}`);
}

/** The text below a heading of the second level. */
function section(path: string, heading: string): string {
  const [, text] = read(path).split(`\n## ${heading}\n`);
  assert.ok(text !== undefined, `${path} has no section "${heading}"`);
  return text.split("\n## ")[0] ?? "";
}

Deno.test("ARCHITECTURE.md names every room of the house, and no other", () => {
  const rows = section("ARCHITECTURE.md", "The rooms").matchAll(
    /^\| `(.+?)`/gm,
  );
  const files = [...walk(root, "ffi"), ...walk(root, "src")];
  const rooms = new Set(
    files.map((path) => path.replace(/^(ffi|src\/[^/]+)\/.*/, "$1")),
  );
  assert.deepEqual(
    [...rows].map(([, room]) => room).toSorted(),
    [
      ...rooms,
    ].toSorted(),
  );
});

/** What `deno task bench:tunnel` leaves behind. */
const isResult = (link: string) => /^(\.\.\/)?bench\/results\//.test(link);
const links = [...mentions(/\]\((?!https?:|#)([^)#]+)/g)];

Deno.test("every relative link of the documents leads to something", () => {
  const leads = (to: string, from: string) => isResult(to) || exists(to, from);
  assert.deepEqual(listOf(links, leads), []);
});

/** @param task What writes the results of this name. */
function whyNoResult(name: string, task: string): string | null {
  return exists(`bench/results/${name}.json`) ? null : `${task} has not run`;
}

testUnless(
  [whyNoResult("tunnel", "deno task bench:tunnel")],
  "README.md shows results that are there",
  () => {
    const shown = links.filter(({ path, text }) =>
      path === "README.md" && isResult(text)
    );
    assert.ok(shown.length > 0);
    assert.deepEqual(listOf(shown, (to) => exists(to)), []);
  },
);

/** Whether a document has a table, however wide its columns are. */
function hasTable(table: string, path = "docs/reliability.md"): boolean {
  const plain = (text: string) =>
    text.replaceAll(/-+/g, "-").replaceAll(/\s+/g, " ").trim();
  return plain(read(path)).includes(plain(table));
}

testUnless(
  [whyNoResult("hostile", "deno task bench:hostile")],
  "docs/reliability.md has the tables of the last hostile run",
  () => {
    const report: Report = JSON.parse(read("bench/results/hostile.json"));
    const missing = report.tables.filter((table) =>
      !hasTable(renderTable(report, table))
    );
    assert.deepEqual(missing.map(({ title }) => title), []);
  },
);

testUnless(
  [whyNoResult("failover", "deno task bench:failover")],
  "docs/anycast.md has the tables of the last fail-overs",
  () => {
    const report: FailoverReport = JSON.parse(
      read("bench/results/failover.json"),
    );
    const tables = renderFailovers(report).split("\n\n");
    const missing = tables.filter((table) =>
      !hasTable(table, "docs/anycast.md")
    );
    assert.deepEqual(missing, []);
  },
);

testUnless(
  [whyNoResult("fuzz", "deno task fuzz --save")],
  "docs/reliability.md has the table of the last runs of the fuzzer",
  () => {
    const record: FuzzRecord = JSON.parse(read("bench/results/fuzz.json"));
    assert.ok(hasTable(tableOf(record.results)));
  },
);

testUnless(
  [whyNoResult("soak", "deno task soak")],
  "docs/reliability.md has the tables of the last soak",
  () => {
    const soak: SoakRecord = JSON.parse(read("bench/results/soak.json"));
    const tables = renderTables(soak).split("\n\n");
    assert.deepEqual(tables.filter((table) => !hasTable(table)), []);
  },
);

Deno.test("every file that the documents name is there", () => {
  const files = mentions(
    /`((?:ffi|src|lab|tests|bench|demo|docs|examples|packaging|tasks|man|\.github)\/[\w./-]*)`/g,
  );
  assert.deepEqual(listOf(files, (path) => exists(path)), []);
});

/** What stands for the parts of a test's name that change, in documents. */
const PART = "…";

/** All texts of a module, those in several pieces as one. */
function textsIn(path: string): Set<string> {
  const source = read(path).replace(/(["`]) \+\s+\1/g, "");
  const texts = source.matchAll(/"((?:[^"\\]|\\.)*)"|`([^`]*)`/g);
  return new Set(
    texts.map(([, plain, template]) =>
      plain ?? (template ?? "").replace(/\$\{[^}]*\}/g, PART)
    ),
  );
}

Deno.test("every test that the documents name is in the file that they name", () => {
  const claims = mentions(
    /(`(?:tests|bench)\/[\w./]*_test\.ts`:\s+"[^"]*"(?:,\s+"[^"]*")*)/g,
  );
  const isThere = (claim: string) => {
    const [, path = "", names = ""] = /^`(.*?)`:\s+(.*)$/s.exec(claim) ?? [];
    if (!exists(path)) return false;
    const texts = textsIn(path);
    return [...names.matchAll(/"([^"]*)"/g)]
      .every(([, name = ""]) => texts.has(name.replaceAll(/\s+/g, " ")));
  };
  assert.deepEqual(listOf(claims, isThere), []);
});

Deno.test("docs/threat-model.md says of each fuzz target what holds", () => {
  const text = read("docs/threat-model.md");
  const targets = targetNames();
  assert.ok(targets.length > 0);
  assert.deepEqual(
    targets.filter((name) => !text.includes(`\n| \`${name}\` `)),
    [],
  );
});

Deno.test("every task that the documents and workflows run is in deno.json", () => {
  const workflows = [...walk(root, ".github")];
  const tasks = mentions(/\btask ([a-z][\w:]*)/g, [...DOCUMENTS, ...workflows]);
  assert.deepEqual(listOf(tasks, (task) => task in project.tasks), []);
});

Deno.test("docs/troubleshooting.md has an entry for each cause that the log names, and no other", () => {
  const text = read("docs/troubleshooting.md");
  const entries = text.split(/^### /m).slice(1).map((entry) => {
    const [name = "", ...lines] = entry.split("\n");
    const quoted = lines.filter((line) => line.startsWith("> "))
      .map((line) => line.slice(2));
    return [name, quoted.join(" ")] as const;
  });
  const causes = Object.entries(CAUSE_WORDS);
  assert.deepEqual(
    entries.map(([name]) => name).toSorted(),
    causes.map(([name]) => name).toSorted(),
  );
  for (const [name, words] of causes) {
    const [, quoted = ""] = entries.find(([entry]) => entry === name) ?? [];
    assert.ok(quoted.includes(words), `${name}: ${words}`);
  }
});

Deno.test("README.md and docs name only options that some program has", () => {
  const tables = Object.values(TABLES);
  const names = new Set(tables.flatMap(Object.values<Option>).flatMap(namesOf));
  const text = ["README.md", ...MANUALS, "docs/threat-model.md"]
    .map(read).join();
  const options = [...text.matchAll(/`(--?[a-zA-Z][\w-]*)/g)];
  const unknown = options.map(([, name = ""]) => name)
    .filter((name) => !names.has(name) && !FOREIGN.includes(name));
  assert.deepEqual(unknown, []);
});

Deno.test("the keys of all files that README.md and docs show are options", () => {
  const longs = [anytunTable, controldTable].flatMap(Object.values<Option>)
    .map(({ long }) => long.slice(2));
  const keys = mentions(/```yaml [^\n]*\n((?:[^`\n]+\n)+)/g);
  const wrong = [...keys].flatMap(({ path, text }) =>
    text.trim().split("\n").map((line) => line.split(":")[0] ?? "")
      .filter((key) => !longs.includes(key)).map((key) => `${path}: ${key}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the documents for administrators name only metrics that there are", () => {
  const source = read("src/status/metrics.ts");
  const counters = [...CONNECTION_COUNTER_INFOS, ...PLANE_COUNTER_INFOS]
    .map(({ name }) => name);
  const named = mentions(/\banytun_(?:connection_)?([a-z_]+)/g, MANUALS);
  const isThere = (name: string) =>
    counters.includes(name) || source.includes(`"${name}"`);
  assert.deepEqual(listOf(named, isThere), []);
});

Deno.test("the documents name no path of the machine they were written on", () => {
  const folders = mentions(/(?<![\w./:<>)-])\/([a-z]\w*)/g);
  const known = (name: string) => KNOWN_FOLDERS.includes(name);
  assert.deepEqual(listOf(folders, known), []);
});

Deno.test("CHANGELOG.md has an entry for this version", () => {
  assert.match(
    read("CHANGELOG.md"),
    new RegExp(`^## \\[${project.version}\\]`, "m"),
  );
});

const LIBRARY = "docs/library.md";
testUnless(
  [whyNoPrograms()],
  "the examples of docs/library.md run without any permission",
  async () => {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["test", "--doc", "--cached-only", "--no-prompt", LIBRARY],
        cwd: root,
        env: { NO_COLOR: "1" },
      },
    ).output();
    const text = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    )
      .join("");
    assert.ok(success, text);
    assert.match(text, /^ok \| [1-9]\d* passed/m);
  },
);
