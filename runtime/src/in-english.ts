// By itself: `z.locales` would bring the fifty others along.
import english from 'zod/v4/locales/en.js'

/**
 * For `safeParse` where a person will read what is wrong. `zod/mini`, which keeps 1 MB less of every
 * host's heap than `zod`, knows no language by itself; and a host may have taught it another one.
 */
export const inEnglish = { error: english().localeError }
