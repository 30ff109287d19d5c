const brand = Symbol.for('needle.reply')

/** A result with a status and headers of its own. */
export interface Reply<Body> {
  readonly status: number
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>
}

/** Answers with this status, body (JSON; checked against `output` for 2xx) and headers. */
export function reply<Body>(
  status: number,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): Reply<Body> {
  return Object.freeze({ [brand]: true as const, status, body, headers })
}

/** Whether `value` came from `reply`, of whatever realm or copy of this package. */
export function isReply(value: unknown): value is Reply<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Partial<Record<typeof brand, unknown>>)[brand] === true
  )
}
