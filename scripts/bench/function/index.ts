import { defineFunction } from '@needle-faas/runtime/function'
import { input, output, price } from './price.ts'

export default defineFunction({
  input,
  output,
  http: { method: 'POST', path: '/bench/price' },
  handler: price,
})
