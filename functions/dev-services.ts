import { setTimeout as wait } from 'node:timers/promises'
import type { Services } from '@needle-faas/runtime/function'
import type { Currency, Product } from './services.ts'

/** Services in memory, for `needle dev`, the playground and tests. Never deployed. */
export default {
  catalog: {
    async find(productId, { signal }) {
      await wait(3, undefined, { signal })
      return products.find(({ id }) => id === productId) ?? null
    },

    async search({ category, text = '', sort, offset, limit }, { signal }) {
      await wait(6, undefined, { signal })
      const found = products
        .filter((product) => category === undefined || product.category === category)
        .filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()))
        .toSorted(orders[sort])
      return { products: found.slice(offset, offset + limit), total: found.length }
    },
  },

  price: {
    async list(productIds, currency, { signal }) {
      await wait(4, undefined, { signal })
      return productIds.map((productId) => {
        const row = rows.find(([id]) => id === productId)
        return row === undefined ? null : Math.round(row[4] * rates[currency])
      })
    },
  },

  stock: {
    async available(productIds, { signal }) {
      await wait(2, undefined, { signal })
      return productIds.map((productId) => rows.find(([id]) => id === productId)?.[5] ?? 0)
    },
  },
} satisfies Services

/** Id, title, category, rating, price in euro cents, pieces in stock; the newest last. */
const rows: readonly (readonly [string, string, string, number | null, number, number])[] = [
  ['p-100', 'Stoneware mug', 'kitchen', 4.6, 1290, 240],
  ['p-101', 'Linen tea towel', 'kitchen', 4.2, 950, 410],
  ['p-102', 'Cast-iron pan, 28 cm', 'kitchen', 4.8, 5490, 35],
  ['p-103', 'Beech chopping board', 'kitchen', 4.4, 2890, 64],
  ['p-104', 'Hand coffee grinder', 'kitchen', 4.7, 7900, 12],
  ['p-105', 'Pepper mill', 'kitchen', 3.9, 3450, 0],
  ['p-106', 'Enamel kettle', 'kitchen', 4.1, 4600, 18],
  ['p-200', 'Desk lamp', 'office', 4.5, 8900, 27],
  ['p-201', 'Dotted notebook, A5', 'office', 4.7, 1450, 900],
  ['p-202', 'Brass pen tray', 'office', null, 2200, 40],
  ['p-203', 'Felt desk mat', 'office', 4.0, 3900, 73],
  ['p-204', 'Cork pin board', 'office', 3.7, 1990, 55],
  ['p-300', 'Terracotta pot', 'garden', 4.3, 790, 130],
  ['p-301', 'Pruning shears', 'garden', 4.9, 4250, 22],
  ['p-302', 'Watering can, 8 l', 'garden', 4.4, 3100, 41],
  ['p-303', 'Seed box "Meadow"', 'garden', null, 1150, 300],
]

const products: readonly Product[] = rows.map(([id, title, category, rating]) => ({
  id,
  title,
  category,
  imageUrl: `https://images.shop.example/${id}.webp`,
  rating,
}))

const rates: Readonly<Record<Currency, number>> = { EUR: 1, GBP: 0.87, USD: 1.08 }

const orders: Readonly<Record<'newest' | 'rating' | 'title', (a: Product, b: Product) => number>> =
  {
    newest: (a, b) => products.indexOf(b) - products.indexOf(a),
    rating: (a, b) => (b.rating ?? 0) - (a.rating ?? 0),
    title: (a, b) => a.title.localeCompare(b.title),
  }
