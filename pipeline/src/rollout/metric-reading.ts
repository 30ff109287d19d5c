/** What asking a metric came to. */
export type MetricReading =
  | { readonly status: 'value'; readonly value: number }
  /** It answered, but with no number. */
  | { readonly status: 'empty'; readonly message: string }
  | { readonly status: 'failed'; readonly message: string }
