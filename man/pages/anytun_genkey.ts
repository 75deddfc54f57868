// anytun-genkey(8)
import type { Known, Page } from "../page.ts";

export function genkeyPage({ options, help }: Known): Page {
  return {
    name: "anytun-genkey",
    section: 8,
    purpose: "make a key and a salt, or a key chain",
    synopsis: ['"anytun" "genkey" <options>', '"anytun-genkey" <options>'],
    sections: [
      {
        title: "Description",
        blocks: [
          `"anytun-genkey" makes a master key and a master salt for a tunnel
          between two ends, from the random numbers of the system. Without
          options it prints them as two lines of a configuration file as Debian's
          anytun has it; with --key-file and --salt-file it writes each into a new
          file. A file that is there already is never overwritten.`,
          `With --chain it makes a key chain: the keys of both ends change with
          time, each made of the one before in a way that does not lead back. The
          chain takes the place of key and salt (--key-chain of anytun(8)).`,
        ],
      },
      options,
      { title: "Exit status", blocks: [help("Exit status")] },
      {
        title: "Examples",
        blocks: [
          "For --key-file and --salt-file of both ends:",
          { lines: ["anytun genkey --key-file key --salt-file salt"] },
          "For --key-chain of both ends:",
          { lines: ["anytun genkey --chain --chain-file chain"] },
        ],
      },
      { title: "See also", blocks: ["anytun(8)"] },
    ],
  };
}
