import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { input, output, price } from '../function/price.ts'
import { answerSchema } from './answer-schema.ts'

/**
 * The route a Fastify author writes who wants exactly what a function promises: input and output
 * validated by the author's own schemas, the answer serialised from a schema.
 */
export function createHandWrittenApp(): FastifyInstance {
  const app = Fastify()
  app.post('/api/bench/price', { schema: answerSchema }, async (request, reply) => {
    const parsed = input.safeParse(request.body)
    if (!parsed.success) return answerInvalid(reply, parsed.error.issues)
    return output.parse(await price(parsed.data))
  })
  return app
}

function answerInvalid(reply: FastifyReply, issues: unknown): FastifyReply {
  return reply.status(400).send({ error: { code: 'INPUT_INVALID', issues } })
}
