import { strict as assert } from "node:assert";
import { chooseProgram } from "../../../src/cli/program.ts";

function choose(...argv: string[]) {
  return chooseProgram("/usr/sbin/anytun", argv);
}

Deno.test("the name of the binary or its first word chooses the program", () => {
  assert.deepEqual(chooseProgram("/usr/bin/anytun-config", ["genkey"]), {
    name: "anytun-config",
    rest: ["genkey"],
  });
  assert.deepEqual(choose("genkey", "-k", "aes-ctr"), {
    name: "anytun-genkey",
    rest: ["-k", "aes-ctr"],
  });
  const others = [[], ["-D"], ["--version"], ["--help"], ["foo"], [""]];
  for (const rest of [...others, ["", "genkey"], ["anytun"]]) {
    assert.deepEqual(choose(...rest), { name: "anytun", rest });
  }
});

Deno.test("help and version are words as well", () => {
  const help = (name: string) => ({ name, rest: ["--help"] });
  assert.deepEqual(choose("help"), help("anytun"));
  assert.deepEqual(choose("help", "anytun"), help("anytun"));
  assert.deepEqual(choose("help", "showtables"), help("anytun-showtables"));
  assert.deepEqual(choose("help", "anytun-config"), help("anytun-config"));
  assert.deepEqual(choose("version", "-p"), {
    name: "anytun",
    rest: ["--version"],
  });
  assert.throws(() => choose("help", "a\nb"), {
    name: "OptionFault",
    message:
      "there is no program 'a\\nb': anytun help names those that there are",
  });
});

Deno.test("a misspelt program is answered with the one that is meant", () => {
  const meant: readonly (readonly [string, string])[] = [
    ["showtable", "showtables"],
    ["show-tables", "showtables"],
    ["contrlod", "controld"],
    ["confg", "config"],
    ["gen-key", "genkey"],
    ["hlep", "help"],
    ["verison", "version"],
  ];
  for (const [word, right] of meant) {
    assert.throws(() => choose(word, "-D"), {
      name: "OptionFault",
      message: `there is no program '${word}': did you mean anytun ${right}?`,
    });
  }
});
