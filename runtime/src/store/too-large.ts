import { RuntimeError } from '../errors.ts'

/** What `get` throws once an object proves to have more than `maxBytes`. */
export function tooLarge(key: string, maxBytes: number): RuntimeError {
  return new RuntimeError(
    'DOCUMENT_TOO_LARGE',
    `${key} has more than the ${maxBytes} bytes allowed`,
    {
      details: { key, maxBytes },
    },
  )
}
