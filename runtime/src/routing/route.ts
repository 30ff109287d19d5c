import type { HttpMethod } from '../manifest/settings.ts'

/** Where a function wants to be reached. */
export interface RouteEntry {
  /** `<group>/<name>`. */
  readonly function: string
  readonly method: HttpMethod
  /** In find-my-way syntax, below the host's prefix: `/shop/card/:userId`. */
  readonly path: string
}

export type RouteMatch =
  | {
      readonly status: 'found'
      readonly function: string
      /** Decoded. */
      readonly params: Readonly<Record<string, string | undefined>>
      /** Raw, without `?`; empty when there is none. */
      readonly query: string
    }
  | { readonly status: 'notFound' }
  /** The path is known, but not for this method; `allow` lists those it is known for, HEAD included. */
  | { readonly status: 'methodNotAllowed'; readonly allow: readonly string[] }
