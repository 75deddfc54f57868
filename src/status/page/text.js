// Amounts as people read them.

const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Such as `1.2 MiB`. */
export function bytesText(bytes) {
  let amount = bytes;
  let power = 0;
  while (amount >= 1023.5 && power < PREFIXES.length - 1) {
    amount /= 1024;
    power++;
  }
  return `${amount.toFixed(power > 0 && amount < 99.95 ? 1 : 0)} ${
    PREFIXES[power]
  }B`;
}

/** Such as `3 h 12 min`. */
export function durationText(seconds) {
  let rest = Math.max(0, Math.floor(seconds));
  const texts = [];
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    const amount = Math.floor(rest / size);
    rest %= size;
    if (amount > 0) texts.push(`${amount} ${name}`);
  }
  if (texts.length === 0 || rest > 0) texts.push(`${rest} s`);
  return texts.slice(0, 2).join(" ");
}

/** Such as `0.5` or `1200`, of a second. */
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
