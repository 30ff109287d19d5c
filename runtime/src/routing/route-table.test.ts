import { describe, expect, it } from 'vitest'
import type { HttpMethod } from '../manifest/settings.ts'
import { createRouteTable, type RouteEntry } from './route-table.ts'

const route = (name: string, method: HttpMethod, path: string): RouteEntry => ({
  function: name,
  method,
  path,
})

const shop = [
  route('shop/card', 'GET', '/shop/card/:userId'),
  route('shop/quote', 'POST', '/shop/quote'),
  route('shop/list', 'GET', '/shop/list'),
  route('shop/drop', 'DELETE', '/shop/card/:userId'),
]

describe('createRouteTable', () => {
  it.each([
    ['GET', '/shop/card/7', 'shop/card', { userId: '7' }, ''],
    ['GET', '/shop/card/a%20b?x=1&y=%202', 'shop/card', { userId: 'a b' }, 'x=1&y=%202'],
    ['HEAD', '/shop/card/7', 'shop/card', { userId: '7' }, ''],
    ['DELETE', '/shop/card/7', 'shop/drop', { userId: '7' }, ''],
    ['POST', '/shop/quote?', 'shop/quote', {}, ''],
    ['POST', '/shop/quote', 'shop/quote', {}, ''],
    ['POST', '/shop/%71uote?x=1', 'shop/quote', {}, 'x=1'],
    ['GET', '/shop/list', 'shop/list', {}, ''],
    ['GET', '/shop/list?x=%202#top', 'shop/list', {}, 'x=%202#top'],
    ['GET', 'http://localhost/shop/list?x=1', 'shop/list', {}, 'x=1'],
    ['GET', 'http://localhost/shop/card/7?x=1', 'shop/card', { userId: '7' }, 'x=1'],
    ['HEAD', '/shop/list', 'shop/list', {}, ''],
  ])('finds %s %s', (method, url, name, params, query) => {
    const { table } = createRouteTable(shop)
    const match = table.match(method, url)
    expect(match).toMatchObject({ status: 'found', function: name, query })
    expect({ ...(match.status === 'found' ? match.params : null) }).toEqual(params)
  })

  it.each([
    ['GET', '/shop'],
    ['GET', '/shop/card/7/more'],
    ['GET', '/shop/card/%E0%A4%A'],
    ['GET', '/'],
    ['POST', '/shop/list/'],
    ['GET', '/shop%2Flist'],
    ['GET', '/shop/list%'],
    ['GET', '/shop/list%2525'],
    ['BREW', '/nowhere'],
  ])('knows no route for %s %s', (method, url) => {
    expect(createRouteTable(shop).table.match(method, url)).toEqual({ status: 'notFound' })
  })

  it.each([
    ['PUT', '/shop/card/7', ['GET', 'HEAD', 'DELETE']],
    ['GET', '/shop/quote?x=1', ['POST']],
    ['BREW', '/shop/quote', ['POST']],
  ])('says which methods are allowed instead of %s %s', (method, url, allow) => {
    expect(createRouteTable(shop).table.match(method, url)).toEqual({
      status: 'methodNotAllowed',
      allow,
    })
  })

  it.each([
    ['the same path', '/a/:id', '/a/:id'],
    ['parameters of other names', '/a/:id', '/a/:other'],
    ['an optional parameter that covers it', '/a', '/a/:id?'],
    ['a path an optional parameter covers', '/a/:id?', '/a'],
  ])('refuses the later of two functions with %s and names both', (_title, first, second) => {
    const { table, refusals } = createRouteTable([
      route('shop/first', 'GET', first),
      route('shop/second', 'GET', second),
    ])
    expect([...refusals.keys()]).toEqual(['shop/second'])
    const refusal = refusals.get('shop/second')
    expect(refusal?.code).toBe('ROUTE_CONFLICT')
    expect(refusal?.message).toContain('shop/first')
    expect(refusal?.message).toContain('shop/second')
    expect(table.match('GET', first.replace(':id?', '7').replace(':id', '7'))).toMatchObject({
      function: 'shop/first',
    })
  })

  it('lets a static path and a parameter live side by side', () => {
    const { table, refusals } = createRouteTable([
      route('shop/any', 'GET', '/a/:id'),
      route('shop/best', 'GET', '/a/best'),
    ])
    expect(refusals.size).toBe(0)
    expect(table.match('GET', '/a/best')).toMatchObject({ function: 'shop/best' })
    expect(table.match('GET', '/a/other')).toMatchObject({ function: 'shop/any' })
  })

  it('refuses a path the router cannot use and keeps the others', () => {
    const { table, refusals } = createRouteTable([
      route('shop/broken', 'GET', '/a/*/b'),
      route('shop/card', 'GET', '/b'),
    ])
    expect(refusals.get('shop/broken')?.code).toBe('FUNCTION_BAD_DEFINITION')
    expect(table.match('GET', '/b')).toMatchObject({ function: 'shop/card' })
  })
})
