import type * as z from 'zod/mini'
import { input, output, price } from '../function/price.ts'

export type PriceAnswer =
  | { readonly status: 200; readonly body: z.infer<typeof output> }
  | { readonly status: 400; readonly body: { readonly error: object } }

/** The same validation around the same handler for every peer: what the hand-written route does. */
export async function answerPrice(value: unknown): Promise<PriceAnswer> {
  const parsed = input.safeParse(value)
  if (!parsed.success) {
    return {
      status: 400,
      body: { error: { code: 'INPUT_INVALID', issues: parsed.error.issues } },
    }
  }
  return { status: 200, body: output.parse(await price(parsed.data)) }
}
