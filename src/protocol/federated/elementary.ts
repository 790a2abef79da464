/**
 * e^x and ln x by additions and multiplications alone: `Math.exp` and `Math.log` may differ between versions of an
 * engine, and a simulation should come out the same everywhere. Relative error below 1e-14.
 */
export function exp(x: number): number {
  if (x < -700) return 0;
  if (x > 700) return Number.MAX_VALUE;
  const turns = Math.round(x / Math.LN2);
  const rest = (x - turns * LN2_HIGH - turns * LN2_LOW) / 16;
  let sum = 1 + (rest / 8) * 1;
  for (let k = 7; k >= 1; k--) sum = 1 + (rest / k) * sum;
  for (let k = 0; k < 4; k++) sum *= sum;
  return sum * 2 ** turns;
}

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Natural logarithm of a positive number. */
export function log(x: number): number {
  let power = 0;
  let part = x;
  while (part > Math.SQRT2) {
    part /= 2;
    power += 1;
  }
  while (part < Math.SQRT1_2) {
    part *= 2;
    power -= 1;
  }
  const ratio = (part - 1) / (part + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let k = 23; k >= 1; k -= 2) sum = sum * square + 1 / k;
  return power * Math.LN2 + 2 * ratio * sum;
}
