import type { Exchange } from './http-load.ts'

/** Requests to the benchmarked function, as a client sends them, and the only right answers. */
export function priceExchanges(path: string): Exchange[] {
  return Array.from({ length: 32 }, (_, index) => {
    const sku = `p-${100 + index}`
    const quantity = 1 + (index % 9)
    const body = JSON.stringify({ sku, quantity })
    const head = [
      `POST ${path} HTTP/1.1`,
      'host: 127.0.0.1',
      'accept: application/json',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
    ]
    return {
      request: Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`),
      expectedBody: Buffer.from(
        JSON.stringify({ title: `Product ${sku}`, cents: 1299 * quantity }),
      ),
    }
  })
}
