// anytun.yaml(5)
import { fileOptions } from "../../src/config/config_place.ts";
import type { Option, OptionTable } from "../../src/config/option.ts";
import type { Block, Page, Section } from "../page.ts";
import { TABLES } from "../programs.ts";

export const yamlPage: Page = {
  name: "anytun.yaml",
  section: 5,
  purpose: "configuration of a tunnel",
  synopsis: ['"/etc/anytun/<name>.yaml"', '"/etc/anytun/<name>/config"'],
  sections: [
    {
      title: "Description",
      blocks: [
        `One file has the options of one tunnel, for "--config <name>" of
        anytun(8), and under systemd for the unit "anytun@<name>". Of clients
        that anytun-controld(8) serves there may be such a file, too. What stands
        behind --config may also be the path of a file anywhere, with a slash in
        it.`,
        `Keys are the long names of options without their dashes, and nothing
        else. Options of the command line prevail over those of the file, and
        these over the defaults. "anytun check" says what is wrong with a file,
        and "anytun show-config" what is in force.`,
        `On the command line "=false" behind an option without an argument, such
        as "--no-roaming=false", takes back what the file says of it, and an
        empty argument, such as "--remote-host ''", brings the default back.
        What may be given several times can be replaced, but not taken back.`,
      ],
    },
    {
      title: "YAML",
      blocks: [
        `The file is one YAML mapping. Values are taken as they are written:
        "null" is the cipher of this name, "off" a word, "0800" no octal number.
        What has no argument on the command line is "true" or "false" here. What
        may be given several times is a value, or a list of values.`,
        `Keys that are not known, or there twice, anchors, aliases, tags, nested
        mappings and a second document are errors. A message has file, line and
        column, the key, its value unless it is a secret, and what would be
        right.`,
      ],
    },
    {
      title: "Debian's format",
      blocks: [
        `Where there is no "/etc/anytun/<name>.yaml", "/etc/anytun/<name>/config"
        is read: one option a line, its value behind a blank, without dashes. A
        "#" begins a comment. An option that may be given several times has
        several lines. Values have no blanks. "post-up.sh" in the same folder is
        run when the device is there, as with --post-up-script. Options that are
        not the program's own are left to the others that read the same
        file.`,
      ],
    },
    keysSection("Keys for anytun", TABLES.anytun),
    keysSection("Keys for anytun-controld", TABLES["anytun-controld"]),
    {
      title: "Secrets",
      blocks: [
        `"key", "salt" and "passphrase" are taken from a YAML file only if nobody
        but root and the user that reads it has access. Better name files for
        them: "key-file", "salt-file", "passphrase-file" or "key-chain". Under
        systemd secrets can be credentials in place of that: "key", "salt" and
        "passphrase", which the unit takes from "/etc/credstore/anytun.<name>.key"
        and so on.`,
      ],
    },
    {
      title: "Reload",
      blocks: [
        `HUP has the daemon read the file again. It is checked as a whole first:
        with a fault in it all stays as it was, and the log says so. What can
        change while packets pass does; the rest is named as needing a
        restart. At once change the peer ("remote-host", "remote-port"),
        "route", "window-size", keys and the passphrase, "log" and "log-format",
        and what the manual of anytun says so of.`,
        `Keys that are new open at once, and seal as soon as the peer uses them,
        or after twelve seconds; those before open for ten seconds more, or for
        twenty where the peer was not heard yet. So the peer may get its own
        at any time within ten seconds, and nothing is lost.`,
        `Files are read with the rights of the daemon by then: those of
        "username", and in its "chroot".`,
      ],
    },
    {
      title: "Examples",
      blocks: [
        "The end of a tunnel that can be reached:",
        {
          lines: [
            "role: left",
            "ifconfig: 10.99.0.1/24",
            "key-file: /etc/anytun/office.key",
            "salt-file: /etc/anytun/office.salt",
          ],
        },
        "The other one, with two addresses in the tunnel:",
        {
          lines: [
            "role: right",
            "remote-host: left.example.com",
            "ifconfig:",
            "  - 10.99.0.2/24",
            "  - 2001:db8:99::2/64",
            "key-file: /etc/anytun/office.key",
            "salt-file: /etc/anytun/office.salt",
          ],
        },
        "The same in Debian's format:",
        {
          lines: [
            "role right",
            "remote-host left.example.com",
            "ifconfig 10.99.0.2/24",
            "key-file /etc/anytun/office.key",
            "salt-file /etc/anytun/office.salt",
          ],
        },
      ],
    },
    {
      title: "See also",
      blocks: ["anytun(8), anytun-controld(8), anytun-genkey(8)"],
    },
  ],
};

/** Each key with what stands behind it; the longer texts are in section 8. */
function keysSection(title: string, table: OptionTable): Section {
  const options = fileOptions(table).map(([, option]) => option);
  const groups = Map.groupBy(options, ({ group }) => group);
  const blocks = [...groups].flatMap(([group, members]): Block[] => [
    { heading: group },
    { terms: members.map((option) => [keyOf(option), aboutOf(option)]) },
  ]);
  return { title, blocks };
}

function keyOf(option: Option): string {
  const key = option.long.slice(2);
  if (!("argument" in option)) return `"${key}: true"`;
  return option.kind === "repeated"
    ? `"${key}: [<${option.argument}>, ...]"`
    : `"${key}: <${option.argument}>"`;
}

function aboutOf(option: Option): string {
  const { help } = option;
  const initial = option.kind === "single" && option.default !== undefined
    ? ` (default ${option.default})`
    : "";
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}${initial}.`;
}
