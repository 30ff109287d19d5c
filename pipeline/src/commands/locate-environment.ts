import { resolve } from 'node:path'
import { loadConfig, selectEnvironment } from '../config/load-config.ts'
import type { EnvironmentConfig } from '../config/needle-config.ts'
import { isPipelineError, PipelineError } from '../errors.ts'
import { findRepository } from '../functions/find-repository.ts'
import { keyVariable } from '../keys/open-signer.ts'
import type { CommandIo } from './command.ts'
import type { EnvironmentOptions } from './environment-session.ts'

export interface EnvironmentLocation {
  /** Address of the store, for `openStore`. */
  readonly store: string
  /** Absolute path of the pinned trust root. */
  readonly trust: string
  /** What the configuration says of alarms; absent when it was not needed to find the rest. */
  readonly alarms?: EnvironmentConfig['alarms']
}

/**
 * Where the environment lies: `--store` and `--trust`, then `NEEDLE_STORE` and `NEEDLE_TRUST`, and
 * for what they leave open `functions/needle.config.ts`. With both given no repository is needed, so
 * that an emergency needs a store and a key only.
 *
 * The configuration is the authors' code, and author code never runs beside a key: with a private
 * key among the variables it is not loaded.
 *
 * @throws PipelineError `USAGE_INVALID` in that case, and as `loadConfig` does.
 */
export async function locateEnvironment(
  io: CommandIo,
  options: EnvironmentOptions,
): Promise<EnvironmentLocation> {
  const { store, trust } = givenLocation(io, options)
  if (store && trust) {
    const directory = repositoryOrCwd(io, options)
    return { store, trust: resolve(directory, trust) }
  }
  const key = Object.values(keyVariable).find((name) => io.env[name])
  if (key !== undefined) {
    throw new PipelineError(
      'USAGE_INVALID',
      `${key} is set, and functions/needle.config.ts, which is code, is not run beside a private key. Give --store and --trust (or set NEEDLE_STORE and NEEDLE_TRUST) as well, or give the key as --key <file> instead`,
    )
  }
  const directory = repositoryOrHint(io, options)
  const config = await loadConfig(directory)
  return selectEnvironment(config, options.environment, {
    directory,
    env: {
      ...io.env,
      ...(store && { NEEDLE_STORE: store }),
      ...(trust && { NEEDLE_TRUST: trust }),
    },
  })
}

/** What options and variables say of where it lies, options first; empty counts as not set. */
export function givenLocation(
  io: CommandIo,
  options: Pick<EnvironmentOptions, 'store' | 'trust'>,
): Partial<EnvironmentLocation> {
  const store = options.store || io.env['NEEDLE_STORE']
  const trust = options.trust ? resolve(io.cwd, options.trust) : io.env['NEEDLE_TRUST']
  return { ...(store && { store }), ...(trust && { trust }) }
}

function repositoryOrHint(io: CommandIo, options: EnvironmentOptions): string {
  try {
    return findRepository(io.cwd, options.repository)
  } catch (error) {
    if (!isPipelineError(error, 'REPOSITORY_MISSING')) throw error
    const hint = 'Without a repository give --store and --trust, or NEEDLE_STORE and NEEDLE_TRUST'
    throw new PipelineError(error.code, `${error.message} ${hint}`, { cause: error })
  }
}

function repositoryOrCwd(io: CommandIo, options: EnvironmentOptions): string {
  try {
    return findRepository(io.cwd, options.repository)
  } catch (error) {
    if (isPipelineError(error, 'REPOSITORY_MISSING')) return io.cwd
    throw error
  }
}
