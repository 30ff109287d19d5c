import type { CatalogService, PriceService, StockService } from './services.ts'

declare module '@needle-faas/runtime/function' {
  interface Services {
    catalog: CatalogService
    price: PriceService
    stock: StockService
  }

  interface Caller {
    readonly locale?: string | undefined
  }
}
