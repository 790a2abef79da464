import { z } from "zod";
import { IchainError } from "../errors/error.ts";

/** What an address of the page's API takes and answers; docs/reference/openapi.json is made of them. */
export interface WebEndpoint<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly method: "GET" | "POST";
  /** With `:name` for a part that is part of the input. */
  readonly path: string;
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
}

/** One address of the page's API. */
export interface WebRoute extends Pick<WebEndpoint, "method" | "path"> {
  /** Resolves with what is answered as JSON; `input`: parts of the path, the query or the body. */
  answer(input: unknown, options: { readonly signal: AbortSignal }): Promise<unknown>;
}

/** A value as it may be answered: lists stay as they are, and an amount may be its decimal string already. */
type Answered<Value> = Value extends bigint
  ? bigint | string
  : Value extends readonly (infer Item)[]
    ? readonly Answered<Item>[]
    : Value extends object
      ? { readonly [Field in keyof Value]: Answered<Value[Field]> }
      : Value;

/** An endpoint whose input is parsed before `answer` has it. */
export function route<Input extends z.ZodType, Output extends z.ZodType>(
  { method, path, input }: Pick<WebEndpoint<Input, Output>, "method" | "path" | "input" | "output">,
  answer: (
    input: z.output<Input>,
    options: { readonly signal: AbortSignal },
  ) => Promise<Answered<z.output<NoInfer<Output>>>>,
): WebRoute {
  return {
    method,
    path,
    answer: (given, options) => {
      const parsed = input.safeParse(given);
      if (parsed.success) return answer(parsed.data, options);
      throw new IchainError("USAGE", `The request is not understood: ${z.prettifyError(parsed.error)}`, {
        hint: "Load the page again; it may be of another version.",
      });
    },
  };
}
