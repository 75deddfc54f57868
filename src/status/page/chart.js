// A chart over time: lines, what they are now, and the same as a table.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 120;

/** Rows of the table: so many moments of all. */
const ROWS = 10;

/** How many moments there is room for at the least. */
const SHORTEST = 15;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, String(value));
  }
  return made;
}

export class Chart {
  #title;
  #seconds;
  #least;
  #plot = drawn("svg", {
    class: "plot",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  #most = element("span");
  #ago = element("span");
  #legend = element("ul", { class: "legend" });
  #head = element("tr");
  #body = element("tbody");

  /**
   * @param seconds Between two moments
   * @param least What the scale reaches at the least
   */
  constructor(parent, title, seconds, least) {
    this.#title = title;
    this.#seconds = seconds;
    this.#least = least;
    const id = `chart-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
    const heading = element("h2", { id }, title);
    const table = element(
      "table",
      { "aria-labelledby": id },
      element("thead", {}, this.#head),
      this.#body,
    );
    const scroll = element(
      "div",
      { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": id },
      table,
    );
    const details = element(
      "details",
      {},
      element("summary", {}, "As a table"),
      scroll,
    );
    parent.append(element(
      "section",
      { "aria-labelledby": id },
      heading,
      element("p", { class: "scale" }, this.#most),
      this.#plot,
      element("p", { class: "scale" }, this.#ago, element("span", {}, "now")),
      this.#legend,
      details,
    ));
  }

  /**
   * @param series Of each its name, and values, of which the last one is now;
   * undefined where there is none
   * @param text What to write for a value
   */
  draw(series, text) {
    const values = series.flatMap(({ values }) => values)
      .filter((value) => value !== undefined);
    const most = Math.max(0, ...values);
    const scale = Math.max(this.#least, most);
    const lengths = series.map(({ values }) => values.length);
    const length = Math.max(SHORTEST, ...lengths);
    this.#most.textContent = `at most ${text(most)}`;
    this.#ago.textContent = `${(length - 1) * this.#seconds} s ago`;
    this.#plot.replaceChildren(
      drawn("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      ...series.map(({ values }, k) =>
        drawn("path", {
          class: `series-${k + 1}`,
          d: pathOf(values, length, scale),
        })
      ),
    );
    const now = series.map(({ name, values }) =>
      `${name}: ${written(values.at(-1), text)}`
    );
    const summary = now.join(", ") || "nothing yet";
    this.#plot.setAttribute(
      "aria-label",
      `${this.#title}, ${summary}, at most ${text(most)}`,
    );
    const lines = now.length > 0
      ? now.map(legendLine)
      : [element("li", {}, "-")];
    this.#legend.replaceChildren(...lines);
    this.#fillTable(series, text);
  }

  #fillTable(series, text) {
    const cells = series.map(({ name }) =>
      element("th", { scope: "col" }, name)
    );
    this.#head.replaceChildren(
      element("th", { scope: "col" }, "Seconds ago"),
      ...cells,
    );
    const length = Math.max(0, ...series.map(({ values }) => values.length));
    const step = Math.max(1, Math.ceil(length / ROWS));
    const rows = [];
    for (let ago = 0; ago < length; ago += step) {
      rows.push(element(
        "tr",
        {},
        element("th", { scope: "row" }, String(ago * this.#seconds)),
        ...series.map(({ values }) =>
          element("td", {}, written(values.at(-1 - ago), text))
        ),
      ));
    }
    this.#body.replaceChildren(...rows);
  }
}

/** The last value is at the right; where there is none, the line is open. */
function pathOf(values, length, scale) {
  const first = length - values.length;
  let isOpen = false;
  return values.map((value, k) => {
    if (value === undefined) {
      isOpen = false;
      return "";
    }
    const x = (first + k) / (length - 1) * WIDTH;
    const y = HEIGHT - 2 - value / scale * (HEIGHT - 4);
    const command = isOpen ? "L" : "M";
    isOpen = true;
    return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

function written(value, text) {
  return value === undefined ? "-" : text(value);
}

function legendLine(text, k) {
  const key = drawn("svg", {
    class: "key",
    viewBox: "0 0 40 8",
    "aria-hidden": "true",
  });
  key.append(drawn("path", { class: `series-${k + 1}`, d: "M0 4L40 4" }));
  return element("li", {}, key, text);
}
