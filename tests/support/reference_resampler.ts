/**
 * Rate conversion in double precision, straight from the filter's definition (`ffi/native/resample_table.h`): slow, and sharing nothing with
 * the engine's.
 *
 * @module
 */

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-18; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

const BETA = 18.2;

/** The filter's coefficients for each of `up` phases, scaled so that all together sum to `up`. */
function phases(up: number, down: number): { before: number; coefficients: Float64Array[] } {
  const cutoff = 0.9565 * Math.min(1, up / down);
  const half = 134.6 * Math.max(1, down / up);
  const taps = 2 * Math.ceil(half);
  const before = taps / 2 - 1;
  const scale = besselI0(BETA);
  let total = 0;
  const coefficients = Array.from(
    { length: up },
    (_, phase) =>
      Float64Array.from({ length: taps }, (_, k) => {
        const d = k - before - phase / up;
        if (Math.abs(d) >= half) return 0;
        const x = Math.PI * cutoff * d;
        const sinc = x === 0 ? 1 : Math.sin(x) / x;
        const h = cutoff * sinc * besselI0(BETA * Math.sqrt(1 - (d / half) ** 2)) / scale;
        total += h;
        return h;
      }),
  );
  for (const row of coefficients) {
    for (let k = 0; k < taps; k++) row[k] *= up / total;
  }
  return { before, coefficients };
}

/**
 * A whole signal at another rate: output frame n stands at n · inRate / outRate input frames; before and behind the input is silence.
 *
 * @returns `ceil(input.length · outRate / inRate)` frames, not rounded to floats.
 */
export function resampleExactly(
  input: ArrayLike<number>,
  inRate: number,
  outRate: number,
): Float64Array {
  const divisor = commonDivisor(inRate, outRate);
  const up = outRate / divisor;
  const down = inRate / divisor;
  const { before, coefficients } = phases(up, down);
  const output = new Float64Array(Math.ceil(input.length * up / down));
  for (let n = 0; n < output.length; n++) {
    const at = Math.floor(n * down / up);
    const row = coefficients[n * down % up];
    let sum = 0;
    const end = Math.min(row.length, input.length - (at - before));
    for (let k = Math.max(0, before - at); k < end; k++) sum += input[at - before + k] * row[k];
    output[n] = sum;
  }
  return output;
}
