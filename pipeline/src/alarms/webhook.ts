import { PipelineError } from '../errors.ts'
import type { AlarmNotice } from './alarm-notice.ts'
import { parseWebhookSecret, signWebhook, webhookSecretVariable } from './sign-webhook.ts'

/** Milliseconds between one attempt and the next, each with up to as much again. */
const pausesMs = [500, 2_000, 5_000]
const attemptMs = 10_000

/** A receiver of alarms. */
export interface Webhook {
  /** For people: scheme and host; paths of such addresses are often secrets. */
  readonly location: string
  /** Null when the receiver took it; else why not, after four attempts or a clear no. Never rejects but for an aborted signal. */
  deliver(notice: AlarmNotice, signal?: AbortSignal): Promise<string | null>
}

export interface WebhookOptions {
  /** Address. */
  readonly url: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly pause: (delayMs: number, signal?: AbortSignal) => Promise<void>
}

/** @throws PipelineError `USAGE_INVALID` for another address than http(s), `WEBHOOK_SECRET` */
export function createWebhook({ url, env, now, pause }: WebhookOptions): Webhook {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '') {
    throw new PipelineError(
      'USAGE_INVALID',
      'A webhook is an address like https://alarms.acme.test/needle, without user and password',
    )
  }
  const secret = parseWebhookSecret(env[webhookSecretVariable])

  const attempt = async (notice: AlarmNotice, signal?: AbortSignal): Promise<Attempt> => {
    const body = JSON.stringify(toPayload(notice))
    const timestampSeconds = Math.floor(now() / 1000)
    const overdue = AbortSignal.timeout(attemptMs)
    try {
      const response = await fetch(parsed, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...signWebhook(secret, { id: notice.id, body, timestampSeconds }),
        },
        body,
        // An answer from elsewhere is not the receiver's.
        redirect: 'manual',
        signal: signal === undefined ? overdue : AbortSignal.any([signal, overdue]),
      })
      await response.body?.cancel()
      if (response.ok) return { fault: null, isFinal: true }
      return { fault: `it answered ${response.status}`, isFinal: !isPassing(response.status) }
    } catch (error) {
      signal?.throwIfAborted()
      return { fault: describe(error), isFinal: false }
    }
  }

  return {
    location: parsed.origin,
    deliver: async (notice, signal) => {
      for (const pauseMs of [...pausesMs, null]) {
        const { fault, isFinal } = await attempt(notice, signal)
        if (isFinal || pauseMs === null) return fault
        await pause(pauseMs * (1 + Math.random()), signal)
      }
      return null
    },
  }
}

interface Attempt {
  readonly fault: string | null
  /** Another attempt would not help. */
  readonly isFinal: boolean
}

/** What the receiver gets; the README documents it. */
function toPayload({ status, at, alarm }: AlarmNotice): unknown {
  const { key: _key, ...rest } = alarm
  return { type: `needle.alarm.${status}`, timestamp: at, data: { status, ...rest } }
}

/** Overload and outages pass; a wrong address or secret does not. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
