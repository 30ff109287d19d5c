/**
 * So many routes (FUNCTIONS) as a Fastify author writes them, each with a handler module of its own
 * from HANDLERS, evaluated separately; otherwise as `hand-written.ts`.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyReply } from 'fastify'
import * as z from 'zod/mini'
import type * as price from '../function/price.ts'
import { handlerFile, manyPath } from '../many/many-function.ts'
import { serve } from './serve.ts'

interface HandlerModule {
  readonly input: typeof price.input
  readonly output: typeof price.output
  readonly handler: typeof price.price
}

const directory = process.env['HANDLERS'] ?? '.'
const app = Fastify()

for (let index = 0; index < Number(process.env['FUNCTIONS']); index++) {
  const { href } = pathToFileURL(join(directory, handlerFile(index)))
  const { input, output, handler }: HandlerModule = await import(href)
  app.post(
    `/api${manyPath(index)}`,
    { schema: { response: { 200: z.toJSONSchema(output, { target: 'draft-7' }) } } },
    async (request, reply) => {
      const parsed = input.safeParse(request.body)
      if (!parsed.success) return answerInvalid(reply, parsed.error.issues)
      return output.parse(await handler(parsed.data))
    },
  )
}

await serve(app)

function answerInvalid(reply: FastifyReply, issues: unknown): FastifyReply {
  return reply.status(400).send({ error: { code: 'INPUT_INVALID', issues } })
}
