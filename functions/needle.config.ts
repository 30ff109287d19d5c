import { defineConfig } from '@needle-faas/pipeline'
import type { ServiceName } from '@needle-faas/runtime/function'
import type { CatalogService, PriceService, StockService } from './services.ts'

/** What functions may name in `uses`, and what the host gives them as `caller`. */
declare module '@needle-faas/runtime/function' {
  interface Services {
    catalog: CatalogService
    price: PriceService
    stock: StockService
  }

  interface Caller {
    /** BCP 47 tag of the language the client asked for. */
    readonly locale?: string | undefined
  }
}

/** A function that uses a service its environment does not offer fails its pull request. */
const services: readonly ServiceName[] = ['catalog', 'price', 'stock']

export default defineConfig({
  environments: {
    production: {
      store: 's3://shop-functions/production',
      trust: 'functions/trust/production.json',
      services,
      url: 'https://shop.example/api',
    },
    staging: {
      store: 's3://shop-functions/staging',
      trust: 'functions/trust/staging.json',
      services,
      url: 'https://staging.shop.example/api',
    },
  },
  policies: {
    shop: { timeoutMs: 2000, maxBodyBytes: 64 * 1024 },
  },
  budget: { bundleBytes: 64 * 1024 },
})
