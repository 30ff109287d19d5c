import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { CallErrorCode } from './call.ts'
import { allowedBuiltins, containerGlobalNames } from './container/index.ts'

const document = await readFile(`${import.meta.dirname}/../../docs/authoring.md`, 'utf8')

/** Complete by its type: a code added to the union fails the type check until it is listed. */
const codes: Record<CallErrorCode, number> = {
  BODY_NOT_JSON: 400,
  BODY_TOO_LARGE: 413,
  BODY_UNSUPPORTED_TYPE: 415,
  INPUT_INVALID: 400,
  INPUT_REDEFINED: 400,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  OUTPUT_INVALID: 500,
  FUNCTION_FAILED: 500,
  FUNCTION_TIMEOUT: 504,
  FUNCTION_RUNAWAY: 504,
  FUNCTION_QUARANTINED: 503,
  FUNCTION_BUSY: 503,
  FUNCTION_LOADING: 503,
  FUNCTION_SHED: 503,
  FUNCTION_STOPPED: 503,
  CLIENT_CLOSED: 499,
  NOT_READY: 503,
}

it('the authoring document lists exactly the globals of a container', () => {
  const list = /<!-- globals -->(.*?)<!-- \/globals -->/s.exec(document)?.[1] ?? ''
  expect([...list.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(containerGlobalNames)
})

it('the authoring document lists exactly the allowed built-ins, with their reasons', () => {
  const rows = [...document.matchAll(/^\| `(node:[^`]+)` *\| (.*?) *\|$/gm)]
  expect(rows.map(([, name, reason]) => [name, reason])).toEqual(Object.entries(allowedBuiltins))
})

it('the authoring document lists exactly the codes of the answers, with their statuses', () => {
  const rows = [...document.matchAll(/^\| `([A-Z_]+)` *\| (\d+) *\|/gm)]
  expect(Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))).toEqual(codes)
})

it('the authoring document shows the card as it serves', async () => {
  const card = await readFile(
    `${import.meta.dirname}/../../../functions/shop/card/index.ts`,
    'utf8',
  )
  expect(document).toContain(card)
})
