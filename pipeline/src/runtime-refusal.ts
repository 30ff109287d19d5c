/** A `RuntimeError`, of whatever copy of the runtime package. */
export interface RuntimeRefusal extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Tells by name, so that a command which never touches the runtime need not load it. */
export function isRuntimeRefusal(error: unknown): error is RuntimeRefusal {
  return (
    error instanceof Error &&
    error.name === 'RuntimeError' &&
    'code' in error &&
    typeof error.code === 'string'
  )
}
