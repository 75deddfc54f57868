/** Fenced blocks of documents: what is to be typed, and what is to be written. */

export interface Block {
  /** Such as `sh`, `console` or `yaml`. */
  readonly language: string;
  /** What stands behind it: a host, and for files a path. */
  readonly words: readonly string[];
  readonly text: string;
  /** Of its first fence; the first one is 1. */
  readonly line: number;
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; lines: string[] } | undefined;
  for (const [at, line] of markdown.split("\n").entries()) {
    const fence = /^ *```(.*)$/.exec(line);
    if (fence === null) {
      open?.lines.push(line);
    } else if (open === undefined) {
      open = { info: fence[1] ?? "", line: at + 1, lines: [] };
    } else {
      const [language = "", ...words] = open.info.trim().split(" ");
      const text = `${open.lines.join("\n")}\n`;
      blocks.push({ language, words, text, line: open.line });
      open = undefined;
    }
  }
  return blocks;
}

export interface Step {
  readonly command: string;
  /** Lines that follow it in the document; undefined where none is shown. */
  readonly shown: string | undefined;
}

/**
 * What is typed at a prompt, `#` or `$`, and what comes back; a line that ends
 * with a backslash goes on in the next one.
 */
export function stepsOf(text: string): Step[] {
  const steps: { command: string; shown: string[] }[] = [];
  let goesOn = false;
  for (const line of text.trimEnd().split("\n")) {
    const prompt = /^[#$] (.*)$/.exec(line);
    const last = steps.at(-1);
    if (goesOn && last !== undefined) last.command += `\n${line}`;
    else if (prompt !== null) {
      steps.push({ command: prompt[1] ?? "", shown: [] });
    } else last?.shown.push(line);
    goesOn = line.endsWith("\\") && (goesOn || prompt !== null);
  }
  return steps.map(({ command, shown }) => ({
    command,
    shown: shown.length === 0 ? undefined : shown.join("\n"),
  }));
}

/**
 * Whether an output looks as the document shows it: numbers are any, words are
 * those that are shown, and `…` stands for anything, also for whole lines.
 */
export function looksLike(output: string, shown: string): boolean {
  const plain = (text: string) =>
    text.replaceAll(/\d+(\.\d+)?/g, "0").replaceAll(/[ \t]+/g, " ").replaceAll(
      " \n",
      "\n",
    ).trim();
  const pattern = plain(shown).split("…")
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join("[^]*");
  return new RegExp(`^${pattern}$`).test(plain(output));
}
