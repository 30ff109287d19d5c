import * as z from 'zod/mini'

/** What every arm of the benchmark runs: the hand-written route imports it, the function bundles it. */
export const input = z.object({
  sku: z.string().check(z.minLength(1), z.maxLength(40)),
  quantity: z.int().check(z.gte(1), z.lte(99)),
})

export const output = z.object({ title: z.string(), cents: z.int() })

export async function price({
  sku,
  quantity,
}: z.infer<typeof input>): Promise<z.infer<typeof output>> {
  return { title: `Product ${sku}`, cents: 1299 * quantity }
}
