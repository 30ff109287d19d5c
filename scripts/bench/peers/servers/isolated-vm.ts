/**
 * isolated-vm: a Fastify route that hands the body's text to a V8 isolate with a heap of its own, in
 * which the bundled function parses, validates and answers text. The isolate runs on this thread
 * (`applySync`): `apply` runs it on another, which on one core cost two fifths more per request.
 */
import { join } from 'node:path'
import ivm from 'isolated-vm'
import { createApp } from '../../servers/create-app.ts'
import { serve } from '../../servers/serve.ts'
import { bundle } from '../bundle.ts'

const entry = join(import.meta.dirname, '..', 'isolated-vm', 'price-isolate.ts')
const context = new ivm.Isolate().createContextSync()
context.evalSync(
  `${bundle(entry, { format: 'iife', globalName: 'price' })};globalThis.answer = price.answer`,
)
const answer = context.global.getSync('answer', { reference: true })

const app = createApp()
app.removeContentTypeParser('application/json')
app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) =>
  done(null, text),
)
app.post<{ Body: string }>('/api/bench/price', async (request, reply) => {
  const answered = await answer.applySync(undefined, [request.body], { result: { promise: true } })
  return reply
    .status(Number(answered.slice(0, 3)))
    .type('application/json')
    .send(answered.slice(3))
})

await serve(app)
