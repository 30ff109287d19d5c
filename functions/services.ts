/**
 * What the host's services look like to functions. The host owns the clients, their addresses,
 * secrets, retries and timeouts; a function sees only these methods.
 */

export type Currency = 'EUR' | 'GBP' | 'USD'

export interface Product {
  readonly id: string
  readonly title: string
  readonly category: string
  readonly imageUrl: string
  /** Average of 0–5 stars; null before the first review. */
  readonly rating: number | null
}

export interface ProductQuery {
  /** Default: every category. */
  readonly category?: string | undefined
  /** Words that must appear in the title. */
  readonly text?: string | undefined
  readonly sort: 'newest' | 'rating' | 'title'
  readonly offset: number
  readonly limit: number
}

/** Every method takes the call's signal, so that nobody works for a client that has gone. */
export interface ServiceOptions {
  readonly signal: AbortSignal
}

export interface CatalogService {
  /** Null when there is no such product. */
  find(productId: string, options: ServiceOptions): Promise<Product | null>
  /** `total` counts every match, not only those in `products`. */
  search(
    query: ProductQuery,
    options: ServiceOptions,
  ): Promise<{ readonly products: readonly Product[]; readonly total: number }>
}

export interface PriceService {
  /** Cents, in the order asked; null where a product is not sold in this currency. */
  list(
    productIds: readonly string[],
    currency: Currency,
    options: ServiceOptions,
  ): Promise<readonly (number | null)[]>
}

export interface StockService {
  /** Pieces that can be sold now, in the order asked; 0 for an unknown product. */
  available(productIds: readonly string[], options: ServiceOptions): Promise<readonly number[]>
}
