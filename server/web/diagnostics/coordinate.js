// @ts-check

/** Shorter, as far as a picture can tell. @param {number} value */
export function coordinate(value) {
  return Math.round(value * 100) / 100;
}

/** The next of 1, 2, 2.5, 5 times a power of ten. @param {number} value */
export function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999) ?? 10);
}
