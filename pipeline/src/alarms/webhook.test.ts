import { expect, test } from 'vitest'
import type { AlarmNotice } from './alarm-notice.ts'
import { createWebhook, type Webhook } from './webhook.ts'
import { startReceiver } from './testing/receiver.ts'

const secret = 'a secret of enough bytes'
const notice: AlarmNotice = {
  id: 'msg_1',
  status: 'raised',
  at: '2026-11-25T12:00:00.000Z',
  alarm: {
    key: 'FROZEN - -',
    code: 'FROZEN',
    severity: 'critical',
    environment: 'production',
    function: null,
    text: 'they take no change',
    since: '2026-11-25T11:59:00.000Z',
    instances: ['bff-1'],
    details: {},
  },
}

function open(url: string, pauses: number[] = []): Webhook {
  let now = Date.parse('2026-11-25T12:00:00Z')
  return createWebhook({
    url,
    env: { NEEDLE_WEBHOOK_SECRET: secret },
    now: () => now,
    pause: async (delayMs) => {
      pauses.push(delayMs)
      now += 10_000
    },
  })
}

test('is tried again under the same id, each time signed with the time of the attempt', async () => {
  await using receiver = await startReceiver(secret, [503, 429, 200])
  const pauses: number[] = []
  expect(await open(receiver.url, pauses).deliver(notice)).toBeNull()
  expect(receiver.received.map(({ id, isGenuine }) => [id, isGenuine])).toEqual([
    ['msg_1', true],
    ['msg_1', true],
    ['msg_1', true],
  ])
  expect(new Set(receiver.received.map(({ timestamp }) => timestamp)).size).toBe(3)
  expect(pauses).toHaveLength(2)
  expect(pauses[1]).toBeGreaterThan(pauses[0] ?? Infinity)
  expect(receiver.received[0]?.body).toEqual({
    type: 'needle.alarm.raised',
    timestamp: '2026-11-25T12:00:00.000Z',
    data: {
      status: 'raised',
      code: 'FROZEN',
      severity: 'critical',
      environment: 'production',
      function: null,
      text: 'they take no change',
      since: '2026-11-25T11:59:00.000Z',
      instances: ['bff-1'],
      details: {},
    },
  })
})

test('gives up after four attempts, and says why', async () => {
  await using receiver = await startReceiver(secret, [500, 500, 500, 500, 200])
  expect(await open(receiver.url).deliver(notice)).toBe('it answered 500')
  expect(receiver.received).toHaveLength(4)
})

test.each([401, 404, 302])('takes %i for a clear no', async (status) => {
  await using receiver = await startReceiver(secret, [status, 200])
  expect(await open(receiver.url).deliver(notice)).toBe(`it answered ${status}`)
  expect(receiver.received).toHaveLength(1)
})

test('a receiver that is not there is no exception', async () => {
  const gone = await startReceiver(secret)
  await gone[Symbol.asyncDispose]()
  expect(await open(gone.url).deliver(notice)).toContain('ECONNREFUSED')
})

test.each(['ftp://acme.test', 'alarms', 'https://user:pass@acme.test'])(
  '%s is no webhook',
  (url) => {
    expect(() => open(url)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }))
  },
)

test('its path, which may be a secret, is not shown', () => {
  expect(open('https://hooks.acme.test/T0/very-secret').location).toBe('https://hooks.acme.test')
})
