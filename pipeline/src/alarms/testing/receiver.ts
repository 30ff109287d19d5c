import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Received {
  readonly id: string
  readonly timestamp: string
  /** Signed with the secret, over exactly what arrived. */
  readonly isGenuine: boolean
  readonly body: unknown
}

/** A webhook receiver on loopback that verifies what it gets as Standard Webhooks 1.0 demands. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly received: readonly Received[]
}

/**
 * @param secret - As text.
 * @param statuses - What it answers, one after the other; 204 from then on.
 */
export async function startReceiver(
  secret: string,
  statuses: readonly number[] = [],
): Promise<Receiver> {
  const received: Received[] = []
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request)
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) =>
      String(request.headers[`webhook-${name}`] ?? ''),
    )
    const hmac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`)
    response.statusCode = statuses[received.length] ?? 204
    received.push({
      id: String(id),
      timestamp: String(timestamp),
      isGenuine: signature === `v1,${hmac.digest('base64')}`,
      body: JSON.parse(body) as unknown,
    })
    response.end()
  }
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/needle`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
