import { MAPS } from "./layout.ts";

/** Pooled maps of one row, and which place each came from. */
export class Pooled {
  readonly values: Float32Array;
  readonly from: Uint16Array;

  constructor(values: Float32Array) {
    this.values = values;
    this.from = new Uint16Array(values.length);
  }

  /** The largest of each two by two, if it is above 0. */
  take(maps: Float32Array, side: number): void {
    const half = side >> 1;
    for (let y = 0, cell = 0; y < half; y++) {
      for (let x = 0; x < half; x++, cell++) {
        const corner = 2 * y * side + 2 * x;
        for (let map = 0; map < MAPS; map++) {
          let best = corner;
          for (const place of [corner + 1, corner + side, corner + side + 1]) {
            if (maps[place * MAPS + map]! > maps[best * MAPS + map]!) best = place;
          }
          this.values[cell * MAPS + map] = Math.max(0, maps[best * MAPS + map]!);
          this.from[cell * MAPS + map] = best;
        }
      }
    }
  }

  /** Brings what each pooled value should change by to the place that it came from. */
  giveBack(errors: Float32Array, into: Float32Array): void {
    into.fill(0);
    for (let at = 0; at < errors.length; at++) {
      if (this.values[at]! > 0) into[this.from[at]! * MAPS + (at % MAPS)] = errors[at]!;
    }
  }
}
