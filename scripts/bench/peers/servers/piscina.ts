/**
 * piscina: a Fastify route that hands the parsed body to a worker thread, where it is validated and
 * answered. One thread, because there is one core, and one task at a time, as it comes: with 64 the
 * request cost a tenth more.
 */
import { Piscina } from 'piscina'
import { answerSchema } from '../../servers/answer-schema.ts'
import { createApp } from '../../servers/create-app.ts'
import { serve } from '../../servers/serve.ts'
import type { PriceAnswer } from '../answer-price.ts'

const pool = new Piscina<unknown, PriceAnswer>({
  filename: new URL('../piscina/price-task.ts', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
})

const app = createApp()
app.addHook('onClose', () => pool.destroy())
app.post('/api/bench/price', { schema: answerSchema }, async (request, reply) => {
  const { status, body } = await pool.run(request.body)
  return reply.status(status).send(body)
})

await serve(app)
