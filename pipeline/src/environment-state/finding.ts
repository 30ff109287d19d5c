/** One thing the doctor looked at. `broken` is what keeps Needle from working; `warning` what soon will, or might. */
export interface Finding {
  readonly check:
    | 'git'
    | 'configuration'
    | 'trust'
    | 'keys'
    | 'store'
    | 'clock'
    | 'manifest'
    | 'objects'
  readonly status: 'ok' | 'warning' | 'broken'
  /** What was found and, unless it is fine, what to do. */
  readonly message: string
}
