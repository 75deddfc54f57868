// Corpora: inputs kept as lines of hexadecimal digits; `#` begins a comment.
import { fromHex, toHex } from "../vectors/vectors.ts";

const FOLDER = new URL("corpus/", import.meta.url);

export function corpusNames(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => name.replace(/\.hex$/, ""));
}

export function readCorpus(name: string): Uint8Array[] {
  try {
    return parseCorpus(Deno.readTextFileSync(fileOf(name)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

export function appendToCorpus(
  name: string,
  comment: string,
  inputs: readonly Uint8Array[],
): void {
  const lines = [`# ${comment}`, ...inputs.map(toHex)];
  const text = lines.join("\n") + "\n";
  Deno.writeTextFileSync(fileOf(name), text, { append: true });
}

export function parseCorpus(text: string): Uint8Array[] {
  return text.split("\n").filter((line) => /^[0-9a-f]/.test(line)).map(fromHex);
}

function fileOf(name: string): URL {
  return new URL(`${name}.hex`, FOLDER);
}
