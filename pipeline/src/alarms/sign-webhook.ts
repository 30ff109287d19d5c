import { createHmac } from 'node:crypto'
import { PipelineError } from '../errors.ts'

/** Where the shared secret of the webhook is looked for. */
export const webhookSecretVariable = 'NEEDLE_WEBHOOK_SECRET'

/** Bytes; shorter ones can be guessed. */
const shortestSecret = 16

/**
 * The secret's bytes: base64 behind `whsec_`, as standardwebhooks.com writes them, else the text.
 *
 * @throws PipelineError `WEBHOOK_SECRET`, showing none of it
 */
export function parseWebhookSecret(text: string | undefined): Uint8Array {
  if (!text) {
    throw secretError('A webhook is signed, so that its receiver can believe it')
  }
  const encoded = text.startsWith('whsec_') ? text.slice('whsec_'.length) : null
  if (encoded !== null && !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw secretError(`What follows "whsec_" in ${webhookSecretVariable} is no base64`)
  }
  const bytes = encoded === null ? Buffer.from(text) : Buffer.from(encoded, 'base64')
  if (bytes.byteLength < shortestSecret) {
    throw secretError(
      `${webhookSecretVariable} has ${bytes.byteLength} bytes, too few to be secret`,
    )
  }
  return bytes
}

function secretError(why: string): PipelineError {
  const example = 'echo "whsec_$(openssl rand -base64 32)"'
  return new PipelineError(
    'WEBHOOK_SECRET',
    `${why}. Set ${webhookSecretVariable} to a secret that the receiver has as well: ${example}`,
  )
}

/**
 * Headers of one attempt to deliver `body` (Standard Webhooks 1.0: HMAC-SHA256 over
 * `id.timestamp.body`). The id stays from one attempt to the next, the timestamp does not.
 */
export function signWebhook(
  secret: Uint8Array,
  message: { readonly id: string; readonly body: string; readonly timestampSeconds: number },
): Readonly<Record<string, string>> {
  const { id, body, timestampSeconds } = message
  const signed = `${id}.${timestampSeconds}.${body}`
  const signature = createHmac('sha256', secret).update(signed).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': `v1,${signature}`,
  }
}
