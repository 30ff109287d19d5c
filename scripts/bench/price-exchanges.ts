import type { Exchange } from './http-connection.ts'

/** Requests to functions that answer as the benchmarked one, and what to take for right answers. */
export interface PriceExchangesOptions {
  readonly paths: readonly string[]
  /** Requests that differ from each other, per path. */
  readonly perPath: number
  /** The body of a right answer or, while functions change, of each. */
  readonly answers: (price: Price, path: string) => readonly object[]
}

export interface Price {
  readonly title: string
  readonly cents: number
}

/** As a client sends them: each path once, then each once more, and so on. */
export function priceExchanges({ paths, perPath, answers }: PriceExchangesOptions): Exchange[] {
  return Array.from({ length: perPath }, (_, index) => {
    const order = { sku: `p-${100 + index}`, quantity: 1 + (index % 9) }
    const price = { title: `Product ${order.sku}`, cents: 1299 * order.quantity }
    return paths.map((path) => ({
      request: postJson(path, order),
      rightBodies: answers(price, path).map((answer) => Buffer.from(JSON.stringify(answer))),
    }))
  }).flat()
}

function postJson(path: string, content: object): Buffer {
  const body = JSON.stringify(content)
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'accept: application/json',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
