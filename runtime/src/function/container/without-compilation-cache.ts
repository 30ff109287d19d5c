import * as v8 from 'node:v8'

/**
 * Runs `compile`, which must be synchronous, while V8 keeps nothing of what it compiles.
 *
 * V8 keeps every compiled script, its source with it, in a cache of the isolate that only many major
 * collections empty: 400 different scripts of 2 MB, loaded one after another and all let go, left
 * 1 GB of heap behind, with `vm.Script` and with `vm.compileFunction` alike. A runtime never compiles
 * the same source twice, so the cache is of no use to it.
 *
 * The flag is read anew at each compilation; others in the process get it back at once. Code cache
 * carries a hash of the flags: what `createCachedData` makes for a script compiled here must be made
 * here as well, or V8 rejects it.
 */
export function withoutCompilationCache<Result>(compile: () => Result): Result {
  v8.setFlagsFromString('--no-compilation-cache')
  try {
    return compile()
  } finally {
    v8.setFlagsFromString('--compilation-cache')
  }
}
