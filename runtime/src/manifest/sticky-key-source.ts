import * as z from 'zod/mini'

/**
 * Where the requests of a function say who is asking, by the names of Istio's `consistentHash`. One
 * of them is set; none that this runtime knows: as if the rollout named no source.
 */
export interface StickyKeySource {
  /** A request header; case does not matter. */
  readonly httpHeaderName?: string | undefined
  /** A cookie that clients bring along already: nothing here sets one. */
  readonly httpCookie?: { readonly name: string } | undefined
  /** A path into what the host's `context` option returned for the request: `user.id`. */
  readonly caller?: string | undefined
}

/** Loose, so that a runtime takes a kind of source that it does not know yet. */
export const stickyKeySourceSchema: z.ZodMiniType<StickyKeySource> = z.looseObject({
  httpHeaderName: z.optional(z.string()),
  httpCookie: z.optional(z.looseObject({ name: z.string() })),
  caller: z.optional(z.string()),
})
