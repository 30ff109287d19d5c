/**
 * The route a Fastify author writes who wants exactly what a function promises: input and output
 * validated by the author's own schemas, the answer serialised from a schema.
 */
import Fastify, { type FastifyReply } from 'fastify'
import * as z from 'zod/mini'
import { input, output, price } from '../function/price.ts'
import { serve } from './serve.ts'

const app = Fastify()

app.post(
  '/api/bench/price',
  { schema: { response: { 200: z.toJSONSchema(output, { target: 'draft-7' }) } } },
  async (request, reply) => {
    const parsed = input.safeParse(request.body)
    if (!parsed.success) return answerInvalid(reply, parsed.error.issues)
    return output.parse(await price(parsed.data))
  },
)

await serve(app)

function answerInvalid(reply: FastifyReply, issues: unknown): FastifyReply {
  return reply.status(400).send({ error: { code: 'INPUT_INVALID', issues } })
}
