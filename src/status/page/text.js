// Amounts as people read them, on the page and in the table.

const KIBI = 1024;
const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * Such as `1.2 MiB`.
 * @param {number} bytes
 * @returns {string}
 */
export function bytesText(bytes) {
  let amount = bytes;
  let power = 0;
  // What would be rounded up to 1024 is one of the next size.
  while (amount >= KIBI - 0.5 && power < PREFIXES.length - 1) {
    amount /= KIBI;
    power++;
  }
  const digits = power > 0 && amount < 99.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${PREFIXES[power]}B`;
}

const UNITS = [
  { size: 86_400, name: "d" },
  { size: 3600, name: "h" },
  { size: 60, name: "min" },
  { size: 1, name: "s" },
];

/**
 * The two largest units, such as `3 h 12 min`.
 * @param {number} seconds
 * @returns {string}
 */
export function durationText(seconds) {
  let rest = Math.max(0, Math.floor(seconds));
  const texts = UNITS.map(({ size, name }) => {
    const amount = Math.floor(rest / size);
    rest %= size;
    return { amount, text: `${amount} ${name}` };
  });
  const first = texts.findIndex(({ amount }) => amount > 0);
  if (first < 0) return "0 s";
  return texts.slice(first, first + 2).filter(({ amount }) => amount > 0)
    .map(({ text }) => text).join(" ");
}

/**
 * Such as `0.5` or `1200`, of a second.
 * @param {number} number
 * @returns {string}
 */
export function rateText(number) {
  return number === 0 || number >= 10 ? number.toFixed(0) : number.toFixed(1);
}

/** Others tell of routes by the thousand. */
const MOST_ROUTES = 20;

/** Such as `10.0.0.0/8, 10.1.0.0/16 and 3 more`. */
export function routesText(routes) {
  const shown = routes.slice(0, MOST_ROUTES).join(", ") || "-";
  const more = routes.length - MOST_ROUTES;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
