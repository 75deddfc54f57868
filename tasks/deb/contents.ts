// Files of the package, and where they lie.
import { gzipSync } from "node:zlib";
import { bashScript } from "../completions/bash.ts";
import { fishScript } from "../completions/fish.ts";
import { zshScript } from "../completions/zsh.ts";
import { pageText } from "../../man/page.ts";
import { allPages } from "../../man/pages.ts";
import { anytunTable } from "../../src/config/anytun.ts";
import { exampleText } from "../../src/config/config_text.ts";
import { controldTable } from "../../src/config/controld.ts";
import { MAIN_PROGRAM, PROGRAMS } from "../../src/config/programs.ts";
import { debianVersion, maintainer, PACKAGE, type Release } from "./control.ts";
import { type Entry, fileEntry, textEntry } from "./entries.ts";

const DOC = `usr/share/doc/${PACKAGE}`;
const UNITS = "usr/lib/systemd/system";

/** Beside the program, which has its own place. */
const LINKS = Object.keys(PROGRAMS).filter((name) => name !== MAIN_PROGRAM);

const FILES:
  readonly (readonly [path: string, source: string, mode?: number])[] = [
    ["etc/anytun/README", "packaging/deb/README.etc"],
    ["etc/default/anytun", "packaging/sysv/default"],
    ["etc/init.d/anytun", "packaging/sysv/init", 0o755],
    ["usr/lib/anytun-launcher", "packaging/sysv/anytun-launcher", 0o755],
    [`${UNITS}/anytun.service`, "packaging/systemd/anytun.service"],
    [`${UNITS}/anytun@.service`, "packaging/systemd/anytun@.service"],
    [
      `${UNITS}/anytun-controld@.service`,
      "packaging/systemd/anytun-controld@.service",
    ],
    [
      "usr/lib/systemd/system-generators/anytun-generator",
      "packaging/systemd/anytun-generator",
      0o755,
    ],
    ["usr/lib/sysusers.d/anytun.conf", "packaging/systemd/sysusers.conf"],
    ["usr/lib/tmpfiles.d/anytun.conf", "packaging/systemd/tmpfiles.conf"],
    ["usr/share/anytun/wireshark/anytun.lua", "packaging/wireshark/anytun.lua"],
    [`${DOC}/README.Debian`, "packaging/deb/README.Debian"],
    [`${DOC}/copyright`, "packaging/deb/copyright"],
    [
      `usr/share/lintian/overrides/${PACKAGE}`,
      "packaging/deb/lintian-overrides",
    ],
  ];

/** @param binary Path of the program */
export async function contents(
  binary: string,
  release: Release,
): Promise<readonly Entry[]> {
  const bytes = await Deno.readFile(binary);
  return [
    { path: "usr/sbin/anytun", mode: 0o755, bytes },
    ...LINKS.map((name) => {
      return { path: `usr/bin/${name}`, link: "../sbin/anytun" };
    }),
    ...await Promise.all(
      FILES.map(([path, source, mode]) => fileEntry(path, source, mode)),
    ),
    ...await manuals(release),
    ...completions(),
    ...await changelogs(release),
    ...await examples(),
  ];
}

async function manuals(release: Release): Promise<readonly Entry[]> {
  const dated = {
    version: release.version,
    date: release.date.toISOString().slice(0, 10),
  };
  return (await allPages()).map((page) => {
    const { name, section } = page;
    const path = `usr/share/man/man${section}/${name}.${section}.gz`;
    return zipped(textEntry(path, pageText(page, dated)));
  });
}

/** bash and fish look for the name of the program, zsh reads all of them. */
function completions(): readonly Entry[] {
  const bash = "usr/share/bash-completion/completions";
  const fish = "usr/share/fish/vendor_completions.d";
  return [
    textEntry("usr/share/zsh/vendor-completions/_anytun", zshScript()),
    textEntry(`${bash}/anytun`, bashScript()),
    textEntry(`${fish}/anytun.fish`, fishScript()),
    ...LINKS.flatMap((name) => [
      { path: `${bash}/${name}`, link: "anytun" },
      { path: `${fish}/${name}.fish`, link: "anytun.fish" },
    ]),
  ];
}

async function changelogs(release: Release): Promise<readonly Entry[]> {
  const version = debianVersion(release);
  const date = release.date.toUTCString().replace("GMT", "+0000");
  const text = `${PACKAGE} (${version}) unstable; urgency=medium

  * See changelog.gz.

 -- ${maintainer()}  ${date}
`;
  return [
    zipped(await fileEntry(`${DOC}/changelog.gz`, "CHANGELOG.md")),
    zipped(textEntry(`${DOC}/changelog.Debian.gz`, text)),
  ];
}

/** As good as gzip(1) can, without the time. */
function zipped(entry: Entry): Entry {
  if (!("bytes" in entry)) return entry;
  const bytes = new Uint8Array(gzipSync(entry.bytes, { level: 9 }));
  return { ...entry, bytes };
}

async function examples(): Promise<readonly Entry[]> {
  const folder = "packaging/examples";
  const root = new URL(`../../${folder}/`, import.meta.url);
  const names = [...Deno.readDirSync(root)].map(({ name }) => name).toSorted();
  const place = "usr/share/anytun/examples";
  return [
    textEntry(`${place}/anytun.yaml`, exampleText(anytunTable)),
    textEntry(`${place}/anytun-controld.yaml`, exampleText(controldTable)),
    ...await Promise.all(
      names.map((name) => fileEntry(`${place}/${name}`, `${folder}/${name}`)),
    ),
  ];
}
