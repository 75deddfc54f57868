import { strict as assert } from "node:assert";
import { checkConfigs } from "../../../src/config/check.ts";
import { readConfigCommandLine } from "../../../src/config/config.ts";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

const SERVER = "/etc/anytun/server";
const FOLDER = `${SERVER}/conf.d`;

const client = (mux: number, more = "") => ({
  text: `role server\nmux ${mux}\npassphrase words-of-${mux}\n${more}`,
});

/** A server of Debian's package with two clients. */
const FILES: Readonly<Record<string, FakeFile>> = {
  [FOLDER]: { text: "" },
  [`${SERVER}/config`]: {
    text: "control-host 127.0.0.1:4444\ntype tun\nkd-prf aes-ctr-192\n",
  },
  [`${FOLDER}/b`]: client(2, "route 10.2.0.0/16\nroute 10.3.0.0/16\n"),
  [`${FOLDER}/a`]: client(1, "kd-prf null\n"),
  [`${FOLDER}/a~`]: { text: "what an editor has left" },
  [`${FOLDER}/.hidden`]: { text: "?" },
  [`${FOLDER}/a.dpkg-old`]: { text: "?" },
};

function controld(
  files: Readonly<Record<string, FakeFile>>,
  ...argv: string[]
) {
  const line = ["--config", "server", ...argv];
  return readControldCommandLine(line, RUNTIME, fakeHostFiles(files));
}

function config(...argv: string[]) {
  const line = ["--config", "server", ...argv];
  return readConfigCommandLine(line, RUNTIME, fakeHostFiles(FILES));
}

Deno.test("a control daemon serves the clients of a Debian tunnel", () => {
  const result = controld(FILES);
  assert.equal(result.kind, "run", JSON.stringify(result));
  const { options, warnings } = result;
  assert.deepEqual(options.controlHost, { host: "127.0.0.1", port: 4444 });
  assert.equal(options.name, "server");
  assert.equal(options.file, undefined);
  assert.equal(options.clients?.folder, FOLDER);
  const { clients = [] } = options.clients ?? {};
  assert.deepEqual(clients.map(({ mux }) => mux), [1, 2]);
  const kdPrfs = clients.map(({ kdPrf }) => kdPrf);
  assert.deepEqual(kdPrfs, ["aes-ctr-192", "aes-ctr-192"], "as the server has");
  assert.equal(clients[0]?.secrets.passphrase, "words-of-1");
  assert.equal(clients[1]?.routes.length, 2);
  assert.deepEqual(warnings, []);
});

Deno.test("a file of records comes before the clients of a tunnel", () => {
  const result = controld(FILES, "-f", "records");
  assert.equal(result.kind, "run");
  assert.equal(result.options.file, "records");
  assert.equal(result.options.clients, undefined);
});

Deno.test("a fault in the file of one client names it, and nothing secret", () => {
  const text = "mux 1\npassphrase words of others\n";
  const result = controld({ ...FILES, [`${FOLDER}/b`]: { text } });
  assert.equal(result.kind, "error");
  assert.match(
    result.stderr,
    /^\/etc\/anytun\/server\/conf\.d\/b:2:18: passphrase: there is more than/,
  );
  assert.doesNotMatch(result.stderr, /words/);
});

Deno.test("a client that has the mux of another, or open secrets, is warned of", () => {
  const files = { ...FILES, [`${FOLDER}/b`]: { ...client(1), isPublic: true } };
  const result = controld(files);
  assert.equal(result.kind, "run");
  assert.match(result.warnings.join("\n"), /mux 1 is that of '.*\/a' and of/);
  assert.match(result.warnings.join("\n"), /others can read the secrets in/);
});

Deno.test("an address or a network of two clients is warned of, once for two, with both", () => {
  const route = "route 10.9.0.7/32\nroute 10.2.0.1/16\nroute 10.2.7.0/16\n";
  const files = {
    ...FILES,
    [`${FOLDER}/a`]: client(1, "kd-prf null\nroute 10.9.0.7/32\n"),
    [`${FOLDER}/c`]: client(3, route),
    [`${FOLDER}/d`]: client(4, "route 10.9.0.0/24\nroute 10.9.0.8/32\n"),
  };
  const result = controld(files);
  assert.equal(result.kind, "run");
  const line = ["--config", "server"];
  const made = readConfigCommandLine(line, RUNTIME, fakeHostFiles(files));
  assert.equal(made.kind, "run");
  assert.deepEqual(made.warnings, result.warnings);
  const checked = checkConfigs(
    { names: ["server"], program: undefined, foreground: false, strict: false },
    RUNTIME,
    fakeHostFiles(files),
  );
  assert.deepEqual(checked[1]?.warnings, result.warnings);
  assert.deepEqual(result.warnings, [
    `route 10.9.0.7/32 is that of '${FOLDER}/a' and of '${FOLDER}/c': it ` +
    "leads to one of them alone",
    `route 10.2.0.0/16 is that of '${FOLDER}/b' and of '${FOLDER}/c': it ` +
    "leads to one of them alone",
  ]);
});

Deno.test("anytun-config makes records of all clients of a tunnel", () => {
  const result = config();
  assert.equal(result.kind, "run");
  assert.deepEqual(result.options.clients.map(({ mux }) => mux), [1, 2]);
  const other = config("-k", "aes-ctr-256");
  assert.equal(other.kind, "run");
  assert.equal(other.options.clients[0]?.kdPrf, "aes-ctr-256");
  const one = config("-m", "7");
  assert.equal(one.kind, "error");
  assert.match(one.stderr, /^Cannot use --mux for all clients in/);
});

Deno.test("a tunnel without clients has nothing to serve", () => {
  const files = { [`${SERVER}/config`]: { text: "type tun\n" } };
  const result = controld(files);
  assert.equal(result.kind, "error");
  assert.match(
    result.stderr,
    /add --file \(-f\) or --source, or have a folder conf\.d/,
  );
});
