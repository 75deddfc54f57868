/**
 * A headless Chromium, driven by messages of the DevTools protocol: each line
 * of standard input is one for it, each of standard output one of it. It ends
 * with standard input. Started by lab/browser.ts inside a network namespace.
 */
const [profile = ""] = Deno.args;

const chromium = new Deno.Command("chromium", {
  args: [
    "--headless",
    // As root, and where there is little shared memory.
    ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    ...["--no-first-run", "--disable-extensions", "--mute-audio"],
    "--disable-background-networking",
    "--disable-component-update",
    `--user-data-dir=${profile}`,
    "--remote-debugging-port=0",
    "about:blank",
  ],
  stdin: "null",
  stdout: "null",
  stderr: "piped",
}).spawn();

/** Where its first page can be driven. */
async function pageSocket(): Promise<string> {
  const place = Promise.withResolvers<string>();
  void listen(place);
  const list = await fetch(`http://${await place.promise}/json/list`);
  const pages: { type: string; webSocketDebuggerUrl: string }[] = await list
    .json();
  const page = pages.find(({ type }) => type === "page");
  if (page === undefined) throw new Error("Chromium has no page");
  return page.webSocketDebuggerUrl;
}

async function listen(place: PromiseWithResolvers<string>): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of chromium.stderr) {
    text += decoder.decode(bytes, { stream: true });
    const [, found] = /DevTools listening on ws:\/\/([^/]+)\//.exec(text) ?? [];
    if (found !== undefined) place.resolve(found);
  }
  place.reject(new Error(`Chromium does not start: ${text}`));
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const bytes of Deno.stdin.readable) {
    const parts = (rest + new TextDecoder().decode(bytes)).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

try {
  const socket = new WebSocket(await pageSocket());
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const encoder = new TextEncoder();
  let telling = Promise.resolve();
  const output = Deno.stdout.writable.getWriter();
  socket.onmessage = ({ data }) => {
    const line = encoder.encode(`${data}\n`);
    telling = telling.then(() => output.write(line));
  };
  for await (const line of lines()) socket.send(line);
  socket.close();
} finally {
  chromium.kill("SIGKILL");
  await chromium.status;
}
