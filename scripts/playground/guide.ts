import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import type { Playground } from './playground.ts'

/** Says what runs where and what to try, in commands that can be copied. */
export function printGuide({ bff, directories }: Playground, wantedPort: number): void {
  const work = relative(process.cwd(), directories.work)
  const file = join('functions', 'shop', 'card', 'index.ts')
  const heading = (text: string): string => styleText('bold', text)
  const moved = bff.port === wantedPort ? '' : ` (port ${wantedPort} is in use)`
  console.log(`
${heading(`A BFF serves the functions on ${bff.url}${moved}`)}
  curl ${bff.url}/api/shop/card/p-100
  curl ${bff.url}/status            what runs, since when, from which manifest

${heading('Change one')}, in another terminal:
  cd ${work}
  $EDITOR ${file}         change what it answers (and its test, if the test minds)
  git commit -am "Change the card" && git push
  curl ${bff.url}/api/shop/card/p-100      the new answer, no restart

${heading('Take it back')}
  git revert --no-edit HEAD && git push
  curl ${bff.url}/api/shop/card/p-100      the old one; nothing was built or tested anew

${heading('Add one')}
  npx needle new shop/hello && git add . && git commit -m "Add hello" && git push

Ctrl-C stops everything; npm start goes on where you were. CANARY=20 npm start gives changes 20 % of the traffic first.`)
}
