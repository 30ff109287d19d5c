import * as z from 'zod/mini'

const segment = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*'

/** A group or the last part of a function's name: lower-case words joined by `-`, at most 40 characters. */
export const nameSegmentSchema = z
  .string()
  .check(
    z.maxLength(40),
    z.regex(
      new RegExp(`^${segment}$`),
      'use lower-case letters, digits and single hyphens, such as "gift-card"',
    ),
  )

/** `<group>/<name>`, such as `shop/gift-card`. */
export const functionNameSchema = z
  .string()
  .check(
    z.maxLength(81),
    z.regex(new RegExp(`^${segment}/${segment}$`), 'use <group>/<name>, such as "shop/gift-card"'),
  )

/** `production`, `staging`, `pr-123`… */
export const environmentNameSchema = nameSegmentSchema
