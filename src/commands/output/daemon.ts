import { z } from "zod";
import { acknowledgementSchema, daemonKinds, daemonStatusSchema } from "../../control/messages.ts";
import { stoppedOutput } from "./job.ts";
import { folderValue } from "./values.ts";

export const statusOutput = z.strictObject({
  home: folderValue,
  daemons: z.array(daemonStatusSchema),
  silent: z.array(z.enum(daemonKinds)).describe("that a process has the home for, without answering"),
});

/** `drain` and `reload`, and `stop` without an id. */
export const toldOutput = z.strictObject({
  daemons: z.array(
    acknowledgementSchema.extend({
      state: z.enum([...acknowledgementSchema.shape.state.options, "ended"]),
    }),
  ),
});

export const stopOutput = z.union([stoppedOutput, toldOutput]);
