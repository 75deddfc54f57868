// Control files of the package: what it is, needs and replaces.
import { createHash } from "node:crypto";
import { type Entry, fileEntry, textEntry } from "./entries.ts";

export const PACKAGE = "anytun-deno";

export interface Release {
  /** Such as `0.2.0`. */
  readonly version: string;
  /** Debian's name of it. */
  readonly architecture: string;
  readonly date: Date;
}

/** As of deb-changelog(5), by the variables of dch(1). */
export function maintainer(): string {
  const name = Deno.env.get("DEBFULLNAME") ?? "The anytun for Deno developers";
  return `${name} <${
    Deno.env.get("DEBEMAIL") ?? "anytun-deno@users.noreply.github.com"
  }>`;
}

export function debianVersion({ version }: Release): string {
  return `${version}-1`;
}

export function fileNameOf(release: Release): string {
  return `${PACKAGE}_${debianVersion(release)}_${release.architecture}.deb`;
}

const SCRIPTS = ["preinst", "postinst", "prerm", "postrm"];

export async function controlFiles(
  files: readonly Entry[],
  release: Release,
): Promise<readonly Entry[]> {
  return [
    textEntry("control", controlText(files, release)),
    textEntry("conffiles", conffiles(files)),
    textEntry("md5sums", md5sums(files)),
    ...await Promise.all(
      SCRIPTS.map((name) => fileEntry(name, `packaging/deb/${name}`, 0o755)),
    ),
  ];
}

// The oldest libc is that of Deno's own builds. The others are opened by name at
// run time: without them it is slower.
function controlText(files: readonly Entry[], release: Release): string {
  const recommends = ["libssl3t64 | libssl3"];
  if (release.architecture === "amd64") {
    recommends.push("libipsec-mb2 | libipsec-mb1");
  }
  return `Package: ${PACKAGE}
Version: ${debianVersion(release)}
Architecture: ${release.architecture}
Maintainer: ${maintainer()}
Installed-Size: ${installedSize(files)}
Depends: libc6 (>= 2.27), libgcc-s1 (>= 3.0), systemd | systemd-standalone-sysusers | systemd-sysusers, sysvinit-utils (>= 3.05-4~)
Recommends: ${recommends.join(", ")}
Suggests: iproute2
Provides: anytun
Conflicts: anytun
Replaces: anytun
Section: net
Priority: optional
Homepage: https://jsr.io/@anytun/anytun
Description: secure anycast tunneling protocol, on Deno
 A VPN daemon that speaks SATP, the secure anycast tunneling protocol, with
 anytun and uanytun at the other end, or with itself. Servers that share an
 address serve the same clients; sequence numbers outlive the process, keys
 may change with time, and the daemon gives up all privileges but one.
 .
 It takes the place of Debian's anytun, with its files in /etc/anytun.
`;
}

/** In KiB, each file rounded up, as dpkg-gencontrol(1) counts. */
function installedSize(files: readonly Entry[]): number {
  return files.map((entry) =>
    "bytes" in entry ? Math.ceil(entry.bytes.length / 1024) : 1
  ).reduce((sum, kib) => sum + kib, 0);
}

function conffiles(files: readonly Entry[]): string {
  return files.filter(({ path }) => path.startsWith("etc/"))
    .map(({ path }) => `/${path}\n`).join("");
}

function md5sums(files: readonly Entry[]): string {
  return files.flatMap((entry) => {
    if (!("bytes" in entry) || entry.path.startsWith("etc/")) return [];
    const sum = createHash("md5").update(entry.bytes).digest("hex");
    return `${sum}  ${entry.path}\n`;
  }).join("");
}
