/**
 * Google's functions-framework: its own Express server around the function. `getTestServer` makes
 * the very server its command makes and leaves listening to us; the command listens on every
 * interface.
 */
import { once } from 'node:events'
import { http } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { announce } from '../../servers/announce.ts'
import { portOf } from '../../servers/port-of.ts'
import { answerPrice } from '../answer-price.ts'

http('price', async (request, response) => {
  const { status, body } = await answerPrice(request.body)
  response.status(status).json(body)
})

const server = getTestServer('price').listen(0, '127.0.0.1')
await once(server, 'listening')
announce({
  port: portOf(server),
  async close() {
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  },
})
