// Bill of materials of the binary: `deno task sbom [--binary FILE]`.
//
// CycloneDX 1.5 in JSON: this program, the runtime that it is compiled with, and
// the packages of build.lock, which alone go into it. Of the same source, runtime
// and SOURCE_DATE_EPOCH the same text.
import { createHash } from "node:crypto";
import { argument, epochOfSource } from "./host.ts";
import project from "../deno.json" with { type: "json" };

interface Hash {
  readonly alg: "SHA-256" | "SHA-512";
  /** In hexadecimal digits. */
  readonly content: string;
}

interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly { readonly license: { readonly id: string } }[];
  readonly hashes?: readonly Hash[];
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

interface Bom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.5";
  readonly version: 1;
  readonly metadata: {
    readonly timestamp: string;
    readonly component: Component;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
}

export interface Release {
  /** Of the runtime and of its engine. */
  readonly runtime: { readonly deno: string; readonly v8: string };
  readonly date: Date;
  /** The bytes of the program, where they are to be named. */
  readonly binary?: Uint8Array | undefined;
}

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

/** Packages that go into the binary, by name and version. */
type Packages = Readonly<Record<string, LockedPackage>>;

export function lockedPackages(): Packages {
  const path = new URL("../build.lock", import.meta.url);
  return JSON.parse(Deno.readTextFileSync(path)).npm;
}

export function billOfMaterials(npm: Packages, release: Release): Bom {
  const { runtime: { deno, v8 }, date, binary } = release;
  const program: Component = {
    ...component("application", project.name, project.version, "jsr"),
    licenses: [{ license: { id: project.license } }],
    ...(binary === undefined ? {} : {
      hashes: [{
        alg: "SHA-256",
        content: createHash("sha256").update(binary).digest("hex"),
      }],
    }),
  };
  const platform = component("platform", "denoland/deno", `v${deno}`, "github");
  const engine = component("library", "v8/v8", v8, "github");
  const locked = Object.entries(npm);
  const packages = locked.map(([id, { integrity }]) => {
    const [name, version] = nameAndVersion(id);
    return {
      ...component("library", name, version, "npm"),
      hashes: [hashOf(integrity)],
    };
  });
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { timestamp: date.toISOString(), component: program },
    components: [platform, engine, ...packages],
    dependencies: [
      edges(program, [platform, ...packages].map((it) => it["bom-ref"])),
      edges(platform, [engine["bom-ref"]]),
      edges(engine, []),
      ...packages.map((it, k) =>
        edges(
          it,
          (locked[k]?.[1].dependencies ?? []).map((name) =>
            referenceOf(name, npm)
          ),
        )
      ),
    ],
  };
}

function component(
  type: Component["type"],
  name: string,
  version: string,
  registry: string,
): Component {
  // Package URL: the @ of a scope is written as %40.
  const purl = `pkg:${registry}/${name.replace("@", "%40")}@${version}`;
  return { type, "bom-ref": purl, name, version, purl };
}

function edges(
  { "bom-ref": ref }: Component,
  dependsOn: readonly string[],
): Dependency {
  return { ref, dependsOn };
}

/** @param id Such as `@scope/name@1.2.3` */
function nameAndVersion(id: string): readonly [string, string] {
  const at = id.lastIndexOf("@");
  return [id.slice(0, at), id.slice(at + 1)];
}

/** @param name As it is written in a lock: with a version only if there are two */
function referenceOf(name: string, npm: Packages): string {
  const ids = Object.keys(npm);
  const id = ids.find((id) => id === name || nameAndVersion(id)[0] === name);
  if (id === undefined) throw new Error(`build.lock has no package '${name}'`);
  return component("library", ...nameAndVersion(id), "npm")["bom-ref"];
}

/** @param integrity As of W3C's Subresource Integrity */
function hashOf(integrity: string): Hash {
  const [, base64] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity) ?? [];
  if (base64 === undefined) {
    throw new Error(`build.lock has a sum of another kind: ${integrity}`);
  }
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return { alg: "SHA-512", content: bytes.toHex() };
}

if (import.meta.main) {
  const path = argument("binary", "");
  const bom = billOfMaterials(lockedPackages(), {
    runtime: Deno.version,
    date: new Date(await epochOfSource() * 1000),
    binary: path === "" ? undefined : Deno.readFileSync(path),
  });
  const text = `${JSON.stringify(bom, null, 2)}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
