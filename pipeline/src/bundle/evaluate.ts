import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ArtifactDescription } from '@needle-faas/runtime/container'
import { type Issue, PipelineError, type PipelineErrorCode } from '../errors.ts'
import { siblingScript, sourceExecArgv } from '../runs-from-source.ts'
import type { Bundle } from './bundle.ts'
import type { EvaluationReply, EvaluationRequest } from './evaluation.ts'
import { placeInSource } from './place-in-source.ts'

export type EvaluateResult =
  | { readonly status: 'described'; readonly description: ArtifactDescription }
  | { readonly status: 'refused'; readonly issue: Issue }

/** Runs author code once per function to read what it declares, in a child without secrets. */
export interface Evaluator extends AsyncDisposable {
  /** One at a time; call it again when the last has answered. */
  evaluate(function_: {
    readonly name: string
    readonly entry: string
    readonly bundle: Pick<Bundle, 'script'> & { readonly sourceMap: Uint8Array | null }
  }): Promise<EvaluateResult>
}

export interface EvaluatorOptions {
  /** For one function, after which its child is killed. Default 5000; the container itself stops synchronous loops after 2000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Makes an evaluator; its child starts with the first function and again after one that broke it. */
export function createEvaluator({ timeoutMs = 5000, signal }: EvaluatorOptions = {}): Evaluator {
  let child: ChildProcess | null = null

  const stop = async (): Promise<void> => {
    const running = child
    child = null
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill('SIGKILL')
    await exited
  }

  return {
    evaluate: async ({ name, entry, bundle }): Promise<EvaluateResult> => {
      signal?.throwIfAborted()
      child ??= await startChild()
      const script = Buffer.from(bundle.script).toString('utf8')
      const reply = await ask(child, { name, script }, timeoutMs)
      if (reply.status === 'described') return reply
      if (reply.status === 'timedOut') await stop()
      if (reply.status === 'exited') child = null
      const { code, message, stack } = toRefusal(reply, name, timeoutMs)
      const place = placeInSource(stack, bundle.sourceMap) ?? { file: entry }
      return { status: 'refused', issue: { code, function: name, message, place } }
    },
    [Symbol.asyncDispose]: stop,
  }
}

/**
 * Resolves once the child listens: its start is no function's fault. Whatever this process holds in
 * its environment stays here.
 */
async function startChild(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(siblingScript('./evaluate-child', import.meta.url)), [], {
    env: { NODE_ENV: 'production', ...compileCache() },
    execArgv: [...sourceExecArgv, '--unhandled-rejections=none', '--no-warnings'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const stopWaiting = new AbortController()
  const { signal } = stopWaiting
  try {
    await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new PipelineError(
          'TOOL_FAILED',
          'The process that evaluates functions did not start.',
        )
      }),
    ])
  } finally {
    stopWaiting.abort()
  }
  return child
}

/** Our own code is compiled once for all children, where this process keeps its own. */
function compileCache(): Record<string, string> {
  const ofThisVersion = getCompileCacheDir()
  return ofThisVersion === undefined ? {} : { NODE_COMPILE_CACHE: dirname(ofThisVersion) }
}

type Answer = EvaluationReply | { readonly status: 'timedOut' } | { readonly status: 'exited' }

function ask(child: ChildProcess, request: EvaluationRequest, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const finish = (answer: Answer): void => {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(answer)
    }
    const onMessage = (reply: EvaluationReply): void => finish(reply)
    const onExit = (): void => finish({ status: 'exited' })
    const timer = setTimeout(() => finish({ status: 'timedOut' }), timeoutMs)
    child.on('message', onMessage)
    child.on('exit', onExit)
    child.send(request)
  })
}

interface Refusal {
  readonly code: PipelineErrorCode
  readonly message: string
  readonly stack: string | null
}

function toRefusal(
  reply: Exclude<Answer, { status: 'described' }>,
  name: string,
  timeoutMs: number,
): Refusal {
  if (reply.status === 'refused') {
    return { code: toCode(reply.code), message: reply.message, stack: reply.stack }
  }
  const isTimeout = reply.status === 'timedOut'
  const what = isTimeout
    ? `did not finish loading within ${timeoutMs} ms`
    : 'ended its process while loading'
  return {
    code: isTimeout ? 'FUNCTION_LOAD_TIMEOUT' : 'FUNCTION_THROWS_AT_LOAD',
    message: `${name} ${what}. Move work out of the top level into the handler.`,
    stack: null,
  }
}

function toCode(code: string): PipelineErrorCode {
  switch (code) {
    case 'FUNCTION_SYNTAX':
    case 'FUNCTION_THROWS_AT_LOAD':
    case 'FUNCTION_LOAD_TIMEOUT':
    case 'FUNCTION_NO_DEFAULT_EXPORT':
    case 'FUNCTION_BAD_DEFINITION':
    case 'FUNCTION_SCHEMA_INEXPRESSIBLE':
      return code
    default:
      return 'TOOL_FAILED'
  }
}
