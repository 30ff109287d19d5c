/** The group they are in, and so the first segment of their paths. */
export const manyGroup = 'many'

export interface ManyFunction {
  /** From 0. */
  readonly index: number
  /** Tells one code of the function from another. */
  readonly version: number
}

/** Where the nth of them is served, below the host's prefix. */
export function manyPath(index: number): string {
  return `/${manyGroup}/f${index}`
}

/** Name of the module with its handler, for a route that is written by hand. */
export function handlerFile(index: number): string {
  return `f${index}.mjs`
}

/** As an author writes it: what `function/price.ts` does, and who answered. */
export function functionSource(fn: ManyFunction): string {
  return `import { defineFunction } from '@needle-faas/runtime/function'
${handlerSource(fn)}
export default defineFunction({
  input,
  output,
  http: { method: 'POST', path: '${manyPath(fn.index)}' },
  handler,
})
`
}

/** The same without Needle. */
export function handlerSource({ index, version }: ManyFunction): string {
  return `import * as z from 'zod/mini'

export const input = z.object({
  sku: z.string().check(z.minLength(1), z.maxLength(40)),
  quantity: z.int().check(z.gte(1), z.lte(99)),
})

export const output = z.object({ title: z.string(), cents: z.int(), from: z.string() })

export async function handler({ sku, quantity }: z.infer<typeof input>) {
  return { title: \`Product \${sku}\`, cents: 1299 * quantity, from: '${from({ index, version })}' }
}
`
}

export function answerOf<Price extends object>(price: Price, fn: ManyFunction) {
  return { ...price, from: from(fn) }
}

function from({ index, version }: ManyFunction): string {
  return `f${index} v${version}`
}
