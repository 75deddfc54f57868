import assert from "node:assert/strict";
import { Browser } from "../../lab/browser.ts";
import { startDaemon } from "../../lab/daemons.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const URL = "http://127.0.0.1:9100/";

/** Where pictures for the documents go, if they are to be made. */
const PICTURES = Deno.env.get("ANYTUN_PICTURES");

async function tunnel({ left, right }: Lab) {
  const common = ["-D", "-E", "secret", "-d", "tun7", "-w", "64"];
  const daemon = startDaemon(left, [
    ...[...common, "-e", "left", "-n", "10.99.0.1/24", "-R", "10.1.0.0/16"],
    ...["-r", right.ipv4, "--metrics", "9100"],
  ]);
  const peer = startDaemon(right, [
    ...[...common, "-e", "right", "-n", "10.99.0.2/24", "-r", left.ipv4],
  ]);
  await daemon.line(/tunnel is set up/);
  await peer.line(/tunnel is set up/);
  await left.ping("10.99.0.2");
  left.spawn("ping", "-q", "-i", "0.05", "-s", "1000", "10.99.0.2");
  return daemon;
}

async function picture(browser: Browser, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  Deno.writeFileSync(`${PICTURES}/${name}.png`, await browser.screenshot());
}

const plotOf = (id: string) =>
  `document.querySelector("section[aria-labelledby=chart-${id}] svg.plot")`;

/** Contrast of text and ground, as WCAG 2.2 section 1.4.3 has it. */
const CONTRAST = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/\\d+/g).slice(0, 3).map((n) => n / 255)
      .map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...["h1", "#about", "#state", "a[href='/metrics']", "th"]
    .map((one) => light(getComputedStyle(document.querySelector(one)).color))
    .map((ink) => (Math.max(ink, ground) + 0.05) /
      (Math.min(ink, ground) + 0.05)));
})()`;

labTest(
  "the page draws what the daemon does, in light and dark, for keys and for ears",
  "s-page",
  [missingCommand("chromium")],
  async (lab) => {
    const daemon = await tunnel(lab);
    await using browser = await Browser.open(lab.left);
    const wide = { width: 960, height: 760 };
    await browser.show({ ...wide, colors: "light" });
    await browser.open(URL);
    const label = `${plotOf("throughput")}?.getAttribute("aria-label") ?? ""`;
    await browser.until(`/sent: .*[1-9].* KiB.s/.test(${label})`);
    assert.equal(
      await browser.evaluate("document.querySelector('h1').textContent"),
      "anytun (tun7)",
    );
    // Once it is fit: until then it says what it waits for.
    await browser.until(
      "document.querySelector('#state').textContent === 'running'",
    );
    const row = await browser.evaluate(
      "document.querySelector('#connections tbody tr').innerText",
    );
    assert.match(String(row), /^0\s192\.0\.2\.\d\s192\.0\.2\.\d:4444\s/);
    assert.match(String(row), /10\.1\.0\.0\/16$/);
    await seenByEars(browser);
    if (PICTURES !== undefined) {
      await browser.until(
        `${plotOf("throughput")}.querySelector("path")` +
          ".getAttribute('d').split('L').length > 14",
      );
    }
    await picture(browser, "status-light");
    await seenInTheDark(browser, wide);
    await usedByKeys(browser);
    await seenOnATelephone(browser);
    const requests = browser.events("Network.requestWillBeSent") as {
      readonly request: { readonly url: string };
    }[];
    for (const { request } of requests) {
      assert.ok(request.url.startsWith(URL) || request.url === "data:,");
    }
    assert.deepEqual(browser.events("Log.entryAdded"), []);
    assert.deepEqual(browser.events("Runtime.exceptionThrown"), []);
    await daemon.stop();
    await browser.until(
      "document.querySelector('#state').textContent === 'does not answer'",
    );
    assert.equal(
      await browser.evaluate("document.querySelector('#news').textContent"),
      "the daemon does not answer",
    );
  },
);

interface SpokenNode {
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
}

/** What a screen reader goes by: the tree of accessibility. */
async function spokenNodes(browser: Browser): Promise<readonly SpokenNode[]> {
  const { nodes } = await browser.call("Accessibility.getFullAXTree") as {
    readonly nodes: readonly SpokenNode[];
  };
  return nodes;
}

async function seenByEars(browser: Browser): Promise<void> {
  let nodes: readonly SpokenNode[] = [];
  const isSpoken = (role: string, name: RegExp) =>
    nodes.some((node) =>
      node.role?.value === role && name.test(node.name?.value ?? "")
    );
  const has = (role: string, name: RegExp) =>
    assert.ok(isSpoken(role, name), `${role} ${name}`);
  // Where a busy host holds the pings up, nothing is received for a second.
  await until("the throughput is told", 20, async () => {
    nodes = await spokenNodes(browser);
    const told = /^Throughput, sent: .* received: .*KiB\/s, at most /;
    return isSpoken("image", told);
  });
  for (const role of ["banner", "main", "contentinfo", "status"]) {
    has(role, /^/);
  }
  has("navigation", /^What is shown$/);
  has("combobox", /^Connection$/);
  has("button", /^Pause$/);
  for (const title of ["Loss", "Drops by cause", "Last heard", "Routes"]) {
    has("image", new RegExp(`^${title}, `));
  }
  has("columnheader", /^Last heard$/);
  has("region", /^Connections$/);
}

async function seenInTheDark(
  browser: Browser,
  wide: { readonly width: number; readonly height: number },
): Promise<void> {
  const ground = "getComputedStyle(document.body).backgroundColor";
  const light = await browser.evaluate(ground);
  assert.ok(Number(await browser.evaluate(CONTRAST)) >= 4.5);
  await browser.show({ ...wide, colors: "dark" });
  assert.notEqual(await browser.evaluate(ground), light);
  assert.ok(Number(await browser.evaluate(CONTRAST)) >= 4.5);
  await picture(browser, "status-dark");
}

async function usedByKeys(browser: Browser): Promise<void> {
  const focused = (what: string) =>
    browser.evaluate(`document.activeElement.${what}`);
  await browser.press("Tab", 9);
  assert.equal(await focused("className"), "skip");
  await browser.press("Tab", 9);
  assert.equal(await focused("id"), "choice");
  await browser.press("ArrowDown", 40);
  await browser.press("Tab", 9);
  assert.equal(await focused("id"), "pause");
  const outline = await browser.evaluate(
    "getComputedStyle(document.activeElement).outline",
  );
  assert.match(String(outline), /solid 3px/);
  await picture(browser, "status-keyboard");
  await browser.press("Enter", 13);
  assert.equal(await focused("ariaPressed"), "true");
  await browser.press("Enter", 13);
  assert.equal(await focused("ariaPressed"), "false");
  await browser.press("Tab", 9);
  assert.equal(await focused("tagName"), "SUMMARY");
  await browser.press("Enter", 13);
  const rows = "document.querySelectorAll('details[open] tbody tr').length";
  await browser.until(`${rows} > 0`);
  await browser.press("Enter", 13);
}

async function seenOnATelephone(browser: Browser): Promise<void> {
  await browser.show({ width: 320, height: 800, colors: "light" });
  assert.equal(
    await browser.evaluate("document.documentElement.scrollWidth"),
    320,
  );
  await picture(browser, "status-narrow");
}
