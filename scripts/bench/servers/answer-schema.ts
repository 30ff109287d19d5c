import type { FastifySchema } from 'fastify'
import * as z from 'zod/mini'
import { output } from '../function/price.ts'

/** Has Fastify serialise the answer from the function's own output schema. */
export const answerSchema: FastifySchema = {
  response: { 200: z.toJSONSchema(output, { target: 'draft-7' }) },
}
