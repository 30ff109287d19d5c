import { toFetchBody } from './fetch-body.ts'

/** The host's class, for a container: see `toFetchBody`. */
export function containerRequest(): typeof Request {
  return (made ??= make())
}

let made: typeof Request | null = null

// When it is first read, and not before: see fetch-classes.ts.
const make = (): typeof Request =>
  new Proxy(Request, {
    construct: (target, [input, init, ...rest]: unknown[], newTarget) =>
      Reflect.construct(target, [input, withBody(init), ...rest], newTarget),
  })

function withBody(init: unknown): unknown {
  if (typeof init !== 'object' || init === null || !('body' in init)) return init
  const given = init.body
  const body = toFetchBody(given)
  return body === given ? init : Object.create(init, { body: { value: body } })
}
