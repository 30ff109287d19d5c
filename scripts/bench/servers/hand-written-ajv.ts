/**
 * The route in Fastify's own idiom: JSON Schema for the input (ajv, compiled at start) and for the
 * answer (fast-json-stringify). It does less than a function promises: the output is shaped, not
 * validated.
 */
import Fastify from 'fastify'
import { price } from '../function/price.ts'
import { serve } from './serve.ts'

const app = Fastify()

app.post<{ Body: { sku: string; quantity: number } }>(
  '/api/bench/price',
  {
    schema: {
      body: {
        type: 'object',
        properties: {
          sku: { type: 'string', minLength: 1, maxLength: 40 },
          quantity: { type: 'integer', minimum: 1, maximum: 99 },
        },
        required: ['sku', 'quantity'],
        additionalProperties: false,
      },
      response: {
        200: {
          type: 'object',
          properties: { title: { type: 'string' }, cents: { type: 'integer' } },
          required: ['title', 'cents'],
        },
      },
    },
  },
  (request) => price(request.body),
)

await serve(app)
