/**
 * The services functions may call, declared once per repository by interface merging:
 *
 * ```ts
 * declare module '@needle-faas/runtime/function' {
 *   interface Services { price: PriceService }
 * }
 * ```
 *
 * Empty here, so that a repository without a declaration has no service to misspell.
 */
export interface Services {}

export type ServiceName = keyof Services & string
