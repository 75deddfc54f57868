// The language of manual pages: man(7), as mandoc and groff read it.

/**
 * Text of a page with its marks: what stands in double quotes is literal, what
 * stands in angle brackets is to be filled in, and options are known by their
 * dashes.
 */
const MARKS =
  /"([^"]*)"|<([^<>"]*)>|(?<![\w-])(--?[a-zA-Z0-9][\w-]*)|\b([a-z][\w.-]*)\((\d)\)/g;

/** A text, each sentence on a line of its own, as is the custom. */
export function paragraph(text: string): string {
  const sentences = text.replaceAll(/\s+/g, " ").trim()
    .split(/(?<=[A-Za-z0-9)">\]][.:?]) (?=["<A-Z0-9-])/);
  return sentences.flatMap((sentence) => lines(marked(sentence))).join("\n");
}

/** What mandoc asks of whoever writes a page. */
const WIDTH = 80;

function lines(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const joined = `${lines.at(-1)} ${word}`.trimStart();
    if (joined.length < WIDTH) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.map(line);
}

/** A text with marks, within a line. */
export function marked(text: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    const [all, literal, blank, option, page, section] = match;
    parts.push(escaped(text.slice(end, match.index)));
    if (literal !== undefined) parts.push(quoted(literal));
    if (blank !== undefined) parts.push(italic(blank));
    if (option !== undefined) parts.push(bold(option));
    if (page !== undefined) parts.push(`${bold(page)}(${section})`);
    end = match.index + all.length;
  }
  return parts.join("") + escaped(text.slice(end));
}

/** Bold but for what is to be filled in. */
function quoted(text: string): string {
  return text.split(/<([^>]*)>/)
    .map((part, at) => at % 2 === 0 ? bold(part) : italic(part))
    .join("");
}

export function bold(text: string): string {
  return text === "" ? "" : `\\fB${escaped(text)}\\fR`;
}

export function italic(text: string): string {
  return text === "" ? "" : `\\fI${escaped(text)}\\fR`;
}

/** Lines as they are, such as commands. */
export function verbatim(lines: readonly string[]): string {
  const texts = lines.map((text) => line(escaped(text)));
  return [".PP", ".RS 4", ".nf", ...texts, ".fi", ".RE"].join("\n");
}

/** A dash that can be copied, and quotes as they are. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq").replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti");
}

/** A line that begins with a dot or a quote would be a request. */
function line(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}
