import { z } from "zod";
import { durationSchema } from "../quantity.ts";

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const DAY = 86_400;

/** Hours that come again each week, in which a machine takes no jobs (`maintenance` in policy.yaml). */
export const maintenanceSchema = z.strictObject({
  days: z
    .array(z.enum(weekdays))
    .min(1)
    .max(7)
    .optional()
    .describe("Days on which they begin; each day when absent"),
  from: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "02:30"')
    .describe("When they begin, UTC"),
  for: durationSchema.pipe(z.number().min(60).max(DAY)).describe("How long they last; 1m to 24h"),
});
export type Maintenance = z.infer<typeof maintenanceSchema>;

/**
 * When the maintenance begins that meets the `seconds` from `now` on, Unix seconds; undefined where none does. It has
 * begun where that is before `now`.
 */
export function maintenanceWithin(
  hours: readonly Maintenance[],
  now: number,
  seconds: number,
): number | undefined {
  const begins = hours.map((one) => nextOf(one, now)).filter((begin) => begin < now + seconds);
  return begins.length === 0 ? undefined : Math.min(...begins);
}

/** When the first of these hours begins that is not over. */
function nextOf({ days, from, for: length }: Maintenance, now: number): number {
  const [hour, minute] = from.split(":").map(Number) as [number, number];
  const today = Math.floor(now / DAY);
  // Yesterday's may go on past midnight, and one of the next eight days is on the list.
  for (let day = today - 1; day <= today + 8; day++) {
    const begin = day * DAY + hour * 3600 + minute * 60;
    // Unix time began on a Thursday.
    const weekday = weekdays[(day + 4) % 7]!;
    if (begin + length > now && (days === undefined || days.includes(weekday))) return begin;
  }
  return Number.POSITIVE_INFINITY;
}
