import { strict as assert } from "node:assert";
import { walk } from "./walk.ts";

const root = new URL("../../", import.meta.url);
const paths = [...walk(root, ".github/workflows")];

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

/** The text of a job, which its name begins. */
function job(path: string, name: string): string {
  const [, rest] = read(path).split(`\n  ${name}:\n`);
  assert.ok(rest !== undefined, `${path} has no job "${name}"`);
  return rest.split(/\n {2}\w+:\n/)[0] ?? "";
}

Deno.test("workflows name actions by commit, and say which version that is", () => {
  const uses = paths.flatMap((path) =>
    [...read(path).matchAll(/\buses: (.*)/g)].map(([, action = ""]) => action)
  );
  const isPinned = (action: string) =>
    action.startsWith("./") ||
    /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action);
  assert.ok(uses.length > 0);
  assert.deepEqual(uses.filter((action) => !isPinned(action)), []);
});

Deno.test("an action has the same commit wherever it is used", () => {
  const commits = new Map<string, Set<string>>();
  for (const path of paths) {
    for (
      const [, name = "", at = ""] of read(path).matchAll(/uses: (.+)@(.+)/g)
    ) {
      commits.set(name, (commits.get(name) ?? new Set()).add(at));
    }
  }
  const several = [...commits].filter(([, at]) => at.size > 1);
  assert.deepEqual(several, []);
});

Deno.test("nothing is released before its tests are green on both architectures", () => {
  const check = job(".github/workflows/ci.yml", "check");
  assert.match(check, /runner: \[ubuntu-24\.04, ubuntu-24\.04-arm\]/);
  assert.match(check, /runs-on: \$\{\{ matrix\.runner \}\}/);
  assert.match(check, /run: .*\.ci\/run/);
  for (const [name, first] of [["release", "build"], ["publish", "publish"]]) {
    const path = `.github/workflows/${name}.yml`;
    assert.match(job(path, "check"), /^ {4}uses: \.\/.*\/ci\.yml$/m);
    assert.match(job(path, first ?? ""), /^ {4}needs: check$/m);
  }
  assert.match(job(".github/workflows/release.yml", "release"), /needs: build/);
});

Deno.test("a binary is released with a base whose sum was compared", () => {
  const build = job(".github/workflows/release.yml", "build");
  const compared = build.indexOf("sha256sum --check");
  const named = build.indexOf("DENORT_BIN=");
  const built = build.indexOf("deno task build");
  assert.ok(0 < compared && compared < named && named < built);
});

Deno.test("a release has binary, package and list of parts of each architecture, attested", () => {
  const path = ".github/workflows/release.yml";
  const build = job(path, "build");
  const made = ["deno task build", "deno task deb", "deno task sbom"]
    .map((step) => build.indexOf(step));
  assert.ok(made.every((at) => at > 0));
  assert.deepEqual(made.toSorted((a, b) => a - b), made);
  for (const arch of ["x86_64", "aarch64"]) {
    assert.ok(build.includes(`arch: ${arch}\n`), arch);
  }
  const release = job(path, "release");
  const summed = release.indexOf("sha256sum anytun-* >SHA256SUMS");
  const attested = release.indexOf("subject-path: anytun-*");
  const released = release.indexOf("anytun-* SHA256SUMS");
  assert.ok(0 < summed && summed < attested && attested < released);
});
