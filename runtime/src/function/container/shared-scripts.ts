import * as vm from 'node:vm'

/** Compiles source that the runtime has written, once for all realms it is run in. */
export type SharedScripts = (source: string) => vm.Script

const maxScripts = 1000

/**
 * A thousandth function with the same schema shares the compiled code of the first.
 *
 * @param url names the code in stacks
 */
export function createSharedScripts(url: string): SharedScripts {
  const scripts = new Map<string, vm.Script>()
  return (source) => {
    const known = scripts.get(source)
    if (known !== undefined) return known
    const script = new vm.Script(source, { filename: url })
    if (scripts.size >= maxScripts) scripts.clear()
    scripts.set(source, script)
    return script
  }
}
