import assert from "node:assert/strict";
import project from "../../../deno.json" with { type: "json" };
import { billOfMaterials, lockedPackages } from "../../../tasks/sbom.ts";

const PACKAGES = lockedPackages();

const RELEASE = {
  runtime: { deno: "2.9.6", v8: "14.7.1" },
  date: new Date(1_600_000_000_000),
};

Deno.test("the bill of materials names the program, its runtime and all packages of build.lock", () => {
  const { metadata, components } = billOfMaterials(PACKAGES, RELEASE);
  assert.equal(
    metadata.component.purl,
    `pkg:jsr/%40anytun/anytun@${project.version}`,
  );
  assert.deepEqual(components.map(({ purl }) => purl), [
    "pkg:github/denoland/deno@v2.9.6",
    "pkg:github/v8/v8@14.7.1",
    ...Object.keys(PACKAGES).map((id) => `pkg:npm/${id.replace(/^@/, "%40")}`),
  ]);
});

Deno.test("the bill of materials has the sums of build.lock, in hexadecimal", () => {
  const { components } = billOfMaterials(PACKAGES, RELEASE);
  const sums = components.flatMap(({ hashes = [] }) => hashes);
  const expected = Object.values(PACKAGES).map(({ integrity }) =>
    Uint8Array.from(atob(integrity.slice(7)), (c) => c.charCodeAt(0)).toHex()
  );
  assert.deepEqual(sums.map(({ content }) => content), expected);
  assert.ok(
    sums.every(({ alg, content }) =>
      alg === "SHA-512" && /^[0-9a-f]{128}$/.test(content)
    ),
  );
});

// What the schema of CycloneDX 1.5 asks for, of what is used of it.
Deno.test("each reference of the bill of materials is there, each once", () => {
  const bom = billOfMaterials(PACKAGES, {
    ...RELEASE,
    binary: new Uint8Array(3),
  });
  assert.deepEqual(
    [bom.bomFormat, bom.specVersion, bom.version],
    ["CycloneDX", "1.5", 1],
  );
  assert.equal(bom.metadata.timestamp, "2020-09-13T12:26:40.000Z");
  const all = [bom.metadata.component, ...bom.components];
  const references = all.map((it) => it["bom-ref"]);
  assert.equal(new Set(references).size, references.length);
  assert.deepEqual(bom.dependencies.map(({ ref }) => ref), references);
  const named = bom.dependencies.flatMap(({ dependsOn }) => dependsOn);
  assert.deepEqual(named.filter((ref) => !references.includes(ref)), []);
  const reached = new Set([references[0], ...named]);
  assert.deepEqual(references.filter((ref) => !reached.has(ref)), []);
  assert.equal(
    bom.metadata.component.hashes?.[0]?.content,
    "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c",
  );
});

Deno.test("the bill of materials follows packages to those that they need", () => {
  const integrity = `sha512-${"A".repeat(86)}==`;
  const { dependencies } = billOfMaterials({
    "@a/b@1.0.0": { integrity, dependencies: ["c", "d@3.0.0"] },
    "c@2.0.0": { integrity },
    "d@3.0.0": { integrity },
  }, RELEASE);
  assert.deepEqual(
    dependencies.find(({ ref }) => ref === "pkg:npm/%40a/b@1.0.0")?.dependsOn,
    ["pkg:npm/c@2.0.0", "pkg:npm/d@3.0.0"],
  );
  const locked = { "c@1.0.0": { integrity: "sha1-x" } };
  assert.throws(() => billOfMaterials(locked, RELEASE), /sum of another kind/);
});
