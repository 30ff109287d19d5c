import { readFile } from 'node:fs/promises'
import {
  createSigner,
  isPreviewEnvironment,
  type Jwk,
  type Role,
  type Signer,
  type TrustRoot,
} from '@needle-faas/runtime/manifest'
import { isRuntimeError } from '@needle-faas/runtime/store'
import * as z from 'zod'
import { PipelineError } from '../errors.ts'

/** Where the private key of each role is looked for: a JSON Web Key as text. */
export const keyVariable = {
  root: 'NEEDLE_ROOT_KEY',
  release: 'NEEDLE_RELEASE_KEY',
  preview: 'NEEDLE_PREVIEW_KEY',
  operator: 'NEEDLE_OPERATOR_KEY',
} as const satisfies Record<Role, string>

export interface KeyQuestion {
  /** Path of a private key; it goes before the variables. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Roles that may sign this, most fitting first. */
  readonly roles: readonly Role[]
  readonly root: TrustRoot
}

/** Who may publish code to an environment, and who may change what it serves of that code. */
export function rolesFor(environment: string, what: 'code' | 'manifest'): readonly Role[] {
  const roles: readonly Role[] = what === 'code' ? ['release'] : ['operator', 'release']
  return isPreviewEnvironment(environment) ? ['preview', ...roles] : roles
}

/**
 * The signer for one of these roles.
 *
 * @throws PipelineError `KEY_MISSING`, `KEY_INVALID` (never showing any of it), `KEY_WRONG_ROLE`.
 */
export async function openSigner(question: KeyQuestion): Promise<Signer> {
  const { source, text } = await findKey(question)
  const signer = await readSigner(text, source)
  const fits = question.roles.some((role) =>
    question.root.roles[role].keyIds.includes(signer.keyId),
  )
  if (!fits) {
    throw new PipelineError(
      'KEY_WRONG_ROLE',
      `The key of ${source} (${signer.keyId}) has none of the roles ${question.roles.join(', ')} in trust root ${question.root.version}. needle keys list shows who has them`,
      { details: { keyId: signer.keyId, roles: question.roles } },
    )
  }
  return signer
}

/** A signer from a private key's text. @throws PipelineError `KEY_INVALID` naming `source` only. */
export async function readSigner(text: string, source: string): Promise<Signer> {
  try {
    return await createSigner(parseJwk(text))
  } catch (cause) {
    const why = isRuntimeError(cause) ? cause.message : 'It is no JSON object of strings'
    throw new PipelineError(
      'KEY_INVALID',
      `The key of ${source} cannot be used. ${why}. needle keys init makes keys`,
      // A parser's message may quote what it could not parse, so it is not passed on.
      isRuntimeError(cause) ? { cause } : {},
    )
  }
}

function parseJwk(text: string): Jwk {
  return z.record(z.string(), z.string()).parse(JSON.parse(text))
}

async function findKey(question: KeyQuestion): Promise<{ source: string; text: string }> {
  const { file, env, roles } = question
  if (file !== undefined) {
    try {
      return { source: file, text: await readFile(file, 'utf8') }
    } catch (cause) {
      throw new PipelineError('KEY_MISSING', `The key file ${file} cannot be read`, { cause })
    }
  }
  for (const role of roles) {
    const text = env[keyVariable[role]]
    if (text) return { source: keyVariable[role], text }
  }
  throw new PipelineError(
    'KEY_MISSING',
    `No signing key: set ${roles.map((role) => keyVariable[role]).join(' or ')} to the private JSON Web Key, or give --key <file>`,
  )
}
