import { expect, test } from 'vitest'
import { parseWebhookSecret, signWebhook } from './sign-webhook.ts'

test('signs as standardwebhooks.com shows it', () => {
  const secret = parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  const headers = signWebhook(secret, {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  })
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('a secret without prefix is taken as text', () => {
  expect(parseWebhookSecret('sixteen-letters!')).toEqual(Buffer.from('sixteen-letters!'))
})

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['too short', 'hunter2'],
  ['no base64', 'whsec_not*base64*not*base64*not'],
])('a secret that is %s is refused without being shown', (_, text) => {
  const parse = () => parseWebhookSecret(text)
  expect(parse).toThrow(expect.objectContaining({ code: 'WEBHOOK_SECRET' }))
  expect(parse).not.toThrow(text || 'nothing to show')
})
